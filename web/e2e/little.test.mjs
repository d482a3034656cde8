// Little data: whatever was imported first, no page waits forever for what is not there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyData, open, serveFor, settled } from './app.mjs';

const month = new Date().toISOString().slice(0, 7);
const FILES = {
  'a list of clients': { 'clients.csv': 'client_name,industry,status\nHarbor Dental,Dental,active\nBay Clinic,Health,active\n' },
  licenses: {
    'licenses.csv':
      'client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nHarbor Dental,Microsoft 365 Business Premium,30,12,22.00,active\n',
  },
  'a month that is not over': {
    'invoices.csv': `invoice_id,client_name,amount,date,status\n1,Harbor Dental,1500.00,${month}-01,paid\n`,
    'time_logs.csv': `staff_name,client_name,hours,rate,billable,date\nDana Ortiz,Harbor Dental,7.5,60,yes,${month}-01\n`,
  },
  'one invoice of long ago': { 'invoices.csv': 'invoice_id,client_name,amount,date,status\n1,Harbor Dental,1500.00,2019-03-04,paid\n' },
};
const PAGES = ['/', '/clients', '/clients/Harbor%20Dental', '/agreements', '/licenses', '/team', '/service', '/cash', '/spend', '/explore'];

for (const [what, files] of Object.entries(FILES)) {
  test(`with nothing but ${what} every page comes to rest`, async (t) => {
    const app = await serveFor(t, emptyData());
    for (const [name, text] of Object.entries(files)) {
      const form = new FormData();
      form.append('file', new Blob([text]), name);
      const { results } = await fetch(`${app.url}/api/v1/imports`, { method: 'POST', body: form }).then((r) => r.json());
      assert.equal(results[0].rows_rejected, 0, name);
    }
    const page = await open(t, app, '/');
    for (const path of PAGES) {
      await page.goto(app.url + path);
      await settled(page);
      assert.equal(await page.getByRole('alert').count(), 0, `${path} shows an error`);
    }
  });
}
