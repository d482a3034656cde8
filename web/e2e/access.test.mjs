// Accounts: the owner is made, signs in with password, code and passkey, invites somebody,
// and ends what was given. Passkeys are those of Chromium's virtual authenticator.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { cli, DESKTOP, emptyData, newContext, open, PHONE, serve, settled } from './app.mjs';

const OWNER = { email: 'olga@example.com', name: 'Olga Owner', password: 'harbor lantern quiet meadow' };
const INES = { email: 'ines@example.com', name: 'Ines Analyst', password: 'violet engine sleeps tonight' };

/** The code of RFC 6238 for a base32 secret, some steps from now. */
function codeOf(secret, steps = 0) {
  const bits = [...secret.replace(/\s/g, '')]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => Number.parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

describe('accounts', () => {
  let app;
  let data;
  before(async () => {
    data = emptyData();
    app = await serve(data);
    app.url = app.url.replace('127.0.0.1', 'localhost'); // passkeys work at a name
  });
  after(() => app.stop());

  /** A page where being refused is part of the test. */
  const visit = (t, path, options = {}) => open(t, app, path, { allowFailures: true, ...options });

  async function signIn(page, who) {
    await page.getByLabel('E-mail address').fill(who.email);
    await page.getByLabel('Password').fill(who.password);
    await page.keyboard.press('Enter');
  }

  const plain = (page, place) =>
    page
      .evaluate(() => document.documentElement.scrollWidth - innerWidth)
      .then((over) => assert.ok(over <= 0, `${place} scrolls sideways by ${over}`));

  test('before there are accounts nobody is asked, and the owner is made', async (t) => {
    const page = await visit(t, '/');
    await page.getByRole('link', { name: 'Make the owner account' }).click();
    await page.getByRole('heading', { name: 'Make the owner account' }).waitFor();
    await page.getByLabel('E-mail address').fill(OWNER.email);
    await page.getByLabel('Name').fill(OWNER.name);
    assert.equal(await page.getByLabel('Password').getAttribute('autocomplete'), 'new-password');
    await page.getByLabel('Password').fill('Password2026!');
    await page.keyboard.press('Enter');
    await page
      .getByText('Many people have this password', { exact: false })
      .or(page.getByText('many people have this password', { exact: false }))
      .first()
      .waitFor();
    await page.getByLabel('Password').fill(OWNER.password);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Profile of Olga Owner' }).waitFor();
    const cookies = await page.context().cookies();
    assert.deepEqual(
      cookies.map((c) => [c.name, c.httpOnly, c.sameSite, c.path]),
      [['moatmetrics', true, 'Lax', '/']],
    );
    assert.equal(await page.evaluate(() => document.cookie), '', 'no script sees the session');
  });

  test('whoever is not signed in sees the door only, and comes back where they were', async (t) => {
    const page = await visit(t, '/definitions');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal((await fetch(`${app.url}/api/v1/metrics`)).status, 401);
    assert.equal(await page.getByLabel('E-mail address').getAttribute('autocomplete'), 'username webauthn');
    assert.equal(await page.getByLabel('Password').getAttribute('autocomplete'), 'current-password');
    await signIn(page, { ...OWNER, password: 'not the right words' });
    await page.getByText('the address or the password is not right', { exact: false }).waitFor();
    await page.getByLabel('Password').fill(OWNER.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Definitions' }).waitFor();
    await page.goto(`${app.url}/profile`);
    await settled(page);
    await page.evaluate(async () => (await caches.open('files')).put('/kept/x/pay.csv', new Response('Dana,95'))); // an export
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(
      await page.evaluate(async () => (await caches.keys()).filter((k) => !k.startsWith('shell-'))),
      [],
      'files of one are left for the next',
    );
  });

  test('a passkey signs in, from the button and from what the browser fills in', async (t) => {
    const page = await visit(t, '/profile');
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await signIn(page, OWNER);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Test laptop');
    await page.keyboard.press('Enter');
    await page.getByText('Test laptop').waitFor();
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    assert.equal(credentials.length, 1);
    assert.equal(credentials[0].rpId, 'localhost');

    // Chosen from what the browser fills in: the virtual authenticator chooses at once.
    const back = page.waitForResponse((r) => r.url().endsWith('/session/passkey')).then(() => page.waitForEvent('load'));
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await back;
    await page.getByRole('link', { name: 'Profile of Olga Owner' }).waitFor();

    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.goto(`${app.url}/profile`);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Profile of Olga Owner' }).count(), 0, 'without finger, face or PIN nobody gets in');
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('link', { name: 'Profile of Olga Owner' }).waitFor();

    await page.goto(`${app.url}/profile`);
    await page.getByRole('button', { name: 'Remove Test laptop' }).click();
    await page.getByText('None yet. A passkey cannot be guessed', { exact: false }).waitFor();
  });

  test('an authenticator app asks for a code, and a recovery code stands in once', async (t) => {
    const page = await visit(t, '/profile');
    await signIn(page, OWNER);
    await page.getByRole('button', { name: 'Set it up' }).click();
    await page.getByRole('button', { name: 'Show the picture' }).click();
    await page.getByAltText('Picture to scan with the app').waitFor();
    const secret = await page.getByRole('dialog').locator('code').textContent();
    await page.getByLabel('Code that the app shows now').fill(codeOf(secret));
    await page.keyboard.press('Enter');
    const shown = page.getByRole('dialog', { name: 'Recovery codes' }).getByRole('listitem');
    await shown.first().waitFor();
    const codes = await shown.allTextContents();
    assert.equal(codes.length, 10);
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();

    await signIn(page, OWNER);
    await page.getByRole('heading', { name: 'Code' }).waitFor();
    assert.equal(await page.getByLabel('Code').getAttribute('autocomplete'), 'one-time-code');
    await page.getByLabel('Code').fill(codeOf(secret, 1)); // the one of now set it up, and works once
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Profile of Olga Owner' }).waitFor();

    await page.goto(`${app.url}/profile`);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await signIn(page, OWNER);
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    await page.getByLabel('Recovery code').fill(codes[0]);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Profile of Olga Owner' }).waitFor();
    await page.goto(`${app.url}/profile`);
    await page.getByText('9 recovery codes are left', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Turn it off' }).click();
    await page.getByRole('button', { name: 'Set it up' }).waitFor();
  });

  test('somebody is invited, sees what the role allows, and is shut out', async (t) => {
    const page = await visit(t, '/users');
    await signIn(page, OWNER);
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByRole('dialog').getByLabel('E-mail address').fill(INES.email);
    await page.getByRole('dialog').getByLabel('Role').selectOption('analyst');
    await page.getByRole('button', { name: 'Make the invitation' }).click();
    const address = await page.getByRole('dialog', { name: 'The link' }).locator('code').textContent();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText(INES.email).waitFor();

    const hers = await visit(t, new URL(address).pathname + new URL(address).hash, { viewport: PHONE });
    await hers.getByRole('heading', { name: 'Welcome to MoatMetrics' }).waitFor();
    await plain(hers, 'the invitation');
    await hers.getByLabel('Name').fill(INES.name);
    await hers.getByLabel('Password').fill(INES.password);
    await hers.keyboard.press('Enter');
    await hers.getByRole('link', { name: 'Profile of Ines Analyst' }).click();
    await hers.getByRole('heading', { name: 'Profile' }).waitFor();
    await plain(hers, 'the profile');
    assert.equal(await hers.evaluate(() => fetch('/api/v1/users').then((r) => r.status)), 403);
    await hers.getByRole('button', { name: 'New key' }).click();
    await hers.getByLabel('What uses it?').fill('Monthly report');
    await hers.getByRole('button', { name: 'Make it' }).click();
    const key = await hers.getByRole('dialog', { name: 'The key' }).locator('code').textContent();
    const asks = (path) => fetch(app.url + path, { headers: { Authorization: `Bearer ${key}` } }).then((r) => r.status);
    assert.equal(await asks('/api/v1/metrics'), 200);
    assert.equal(await asks('/api/v1/profile'), 403, 'a key may what it was made for');

    await page.reload();
    await settled(page);
    await page.getByRole('button', { name: INES.name }).click();
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByText('Ines Analyst cannot sign in any more.').waitFor();
    assert.equal(await asks('/api/v1/metrics'), 401);
    await hers.goto(`${app.url}/definitions`);
    await hers.getByRole('heading', { name: 'Sign in' }).waitFor();
    await plain(hers, 'the door');
    await page.keyboard.press('Escape');
    await page.setViewportSize(PHONE);
    await plain(page, 'users on a phone');
    await page.setViewportSize(DESKTOP);
    await plain(page, 'users');
  });

  test('the command line prints an address that signs in once', async () => {
    const { address } = JSON.parse(cli(data, 'sign-in', '--json', '--listen', new URL(app.url).host.replace('localhost', '127.0.0.1')));
    const context = await newContext();
    const page = await context.newPage();
    await page.goto(address);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Profile of Olga Owner' }).waitFor();
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByText('this link was used already', { exact: false }).waitFor();
    await context.close();
    assert.match(cli(data, 'users', 'list'), /ines@example\.com .* analyst +disabled/);
  });
});
