import { Download } from 'lucide-react';
import { useState } from 'react';
import { Bridge } from '../charts/Bridge';
import { bars } from '../charts/bars';
import { Chart } from '../charts/Chart';
import { HeatMap } from '../charts/HeatMap';
import { Sparkline } from '../charts/Sparkline';
import { trend } from '../charts/trend';
import { format } from '../lib/format';
import { t } from '../lib/i18n';
import { Delta } from '../metrics/Delta';
import { Grade } from '../metrics/Grade';
import { columns } from '../metrics/grid';
import { Button, IconButton, Segmented } from '../ui/Button';
import { Badge, Card, Chip, Kbd } from '../ui/Card';
import { CellButton, DataTable } from '../ui/DataTable';
import { Dialog, Drawer } from '../ui/Dialog';
import { Checkbox, Select, TextField } from '../ui/Field';
import { Menu } from '../ui/Menu';
import { Empty, Failure, Notice, Progress, Skeleton, Stale } from '../ui/States';
import { Tabs } from '../ui/Tabs';
import { toast } from '../ui/toast';
import { Page } from './Page';

// The numbers here are made up: the page shows parts, not figures.
const MONTHS = ['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01', '2026-06-01'];
const VALUES = [0.41, 0.42, 0.39, 0.4, 0.31, 0.38];
const LINES = [
  {
    name: 'Margin',
    unit: 'ratio',
    points: MONTHS.map((month, i) => ({ month, value: VALUES[i] ?? null, low: 0.35, high: 0.45, unusual: i === 4, partial: i === 5 })),
  },
];
const ROWS = Array.from({ length: 50_000 }, (_, i) => ({ id: String(i), name: `Client ${i}`, value: ((i * 7919) % 100_003) - 30_000 }));
const CONFIDENCE = {
  score: 0.82,
  grade: 'medium',
  reasons: ['cost rates cover 82% of the hours'],
  components: [],
  quality: 0.9,
  half_width: 0.09,
};

/** Every part of the kit in its states, to look at and to test. */
export function Gallery() {
  const [segment, setSegment] = useState<'a' | 'b'>('a');
  const [text, setText] = useState('');
  const [on, setOn] = useState(true);
  const [tab, setTab] = useState('one');
  const [open, setOpen] = useState('');
  return (
    <Page title={t('Gallery of the kit')} lead={t('Every part in its states. The figures here are made up.')}>
      <div className="stack" style={columns(380)}>
        <Card title="Buttons">
          <div className="row">
            <Button kind="primary">Primary</Button>
            <Button>Plain</Button>
            <Button kind="quiet">Quiet</Button>
            <Button kind="danger">Danger</Button>
            <Button isDisabled>Disabled</Button>
            <Button pressed>Pressed</Button>
            <IconButton label="Download">
              <Download size={16} />
            </IconButton>
            <Segmented
              label="Choice"
              value={segment}
              options={[
                ['a', 'First'],
                ['b', 'Second'],
              ]}
              onChange={setSegment}
            />
            <Menu
              label="Menu"
              trigger={<Button>Menu</Button>}
              sections={[
                {
                  head: 'Section',
                  actions: [
                    { id: 'x', label: 'An action', hint: 'hint', onAction: () => toast('Done', { label: 'Undo', run: () => undefined }) },
                  ],
                },
              ]}
            />
            <Button onPress={() => setOpen('dialog')}>Dialog</Button>
            <Button onPress={() => setOpen('drawer')}>Drawer</Button>
          </div>
          <Dialog open={open === 'dialog'} onClose={() => setOpen('')} title="A dialog">
            <p>Its text.</p>
          </Dialog>
          <Drawer open={open === 'drawer'} onClose={() => setOpen('')} title="A drawer" subtitle="With a subtitle">
            <p>Its text.</p>
          </Drawer>
        </Card>
        <Card title="Fields">
          <div className="stack">
            <TextField label="Text" value={text} onChange={setText} placeholder="Placeholder" hint="A hint" />
            <TextField label="With a fault" value={text} onChange={setText} fault="Say what to do next." />
            <Select
              label="Select"
              value={segment}
              onChange={setSegment}
              options={[
                ['a', 'First'],
                ['b', 'Second'],
              ]}
            />
            <Checkbox label="Checkbox" checked={on} onChange={setOn} trailing="trailing" />
          </div>
        </Card>
        <Card title="Labels">
          <div className="row">
            <Badge>Plain</Badge>
            <Badge tone="accent">Accent</Badge>
            <Badge tone="good">Good</Badge>
            <Badge tone="bad">Bad</Badge>
            <Badge tone="warn">Warning</Badge>
            <Chip label="Remove" onRemove={() => undefined}>
              Client: Harbor Dental
            </Chip>
            <Kbd>Ctrl K</Kbd>
            <Delta change="0.031" unit="ratio" direction="up_good" />
            <Delta change="-1200" unit="money" direction="up_good" />
            <Delta change="0" unit="money" direction="up_good" />
            <Grade confidence={CONFIDENCE} long />
          </div>
        </Card>
        <Card title="States">
          <div className="stack">
            <Skeleton height={40} />
            <Empty title="Nothing here">Say what to do next.</Empty>
            <Failure error={new Error('What failed, in words.')} onRetry={() => undefined} />
            <Notice>A notice</Notice>
            <Notice tone="warn">
              <Stale>Older figures</Stale>
            </Notice>
            <Notice tone="bad">Something is wrong</Notice>
            <Progress value={0.6} label="Progress" />
          </div>
        </Card>
        <Card title="Tabs">
          <Tabs
            label="Tabs"
            value={tab}
            onChange={setTab}
            tabs={[
              { id: 'one', title: 'One', content: () => <p>First</p> },
              { id: 'two', title: 'Two', content: () => <p>Second</p> },
            ]}
          />
        </Card>
        <Card title="Bridge">
          <Bridge
            label="From 41% to 38%"
            steps={[
              { id: 'a', name: 'Before', value: 0.41, text: '41.0%', total: true },
              { id: 'b', name: 'Labor cost', detail: '100 → 120', value: -0.05, text: '−5.0 pp' },
              { id: 'c', name: 'Revenue', detail: '300 → 310', value: 0.02, text: '+2.0 pp' },
              { id: 'd', name: 'Now', value: 0.38, text: '38.0%', total: true },
            ]}
          />
        </Card>
        <Card title="Trend with its band" subtitle="An unusual month, and one that is not complete">
          <Chart
            label="Margin by month"
            option={(colors, width) => trend(LINES, colors, width)}
            table={() => <p>{VALUES.map((v) => format(v, 'ratio')).join(', ')}</p>}
            height={200}
          />
        </Card>
        <Card title="Bars">
          <Chart
            label="Profit"
            option={(colors) =>
              bars(
                ['First', 'Second', 'Third'],
                [{ name: 'Profit', units: ['money', 'money', 'money'], values: [1200, -400, 300] }],
                colors,
              )
            }
            table={() => <p>1,200, −400, 300</p>}
            height={160}
          />
        </Card>
        <Card title="Heat map">
          <HeatMap
            caption="Heat map"
            columns={['Jan', 'Feb', 'Mar']}
            rows={[
              {
                id: 'a',
                name: 'Somebody',
                cells: [-1, 0, 1].map((level) => ({
                  text: format(0.8 + level / 2, 'ratio'),
                  label: `${format(0.8 + level / 2, 'ratio')}, level ${level}`,
                  level,
                })),
              },
            ]}
            onCell={() => undefined}
            keys={{ low: 'low', middle: 'middle', high: 'high' }}
          />
          <Sparkline values={VALUES} label="Course" />
        </Card>
        <Card title="Table of 50,000 rows" subtitle="Only the rows in view are drawn">
          <DataTable
            caption="Fifty thousand rows"
            rows={ROWS}
            rowKey={(r) => r.id}
            maxHeight={240}
            initial={{ id: 'value', descending: true }}
            columns={[
              { id: 'name', head: 'Client', sort: (r) => r.name, cell: (r) => r.name },
              {
                id: 'value',
                head: 'Value',
                right: true,
                sort: (r) => r.value,
                cell: (r) => (
                  <CellButton label={`Value ${format(r.value, 'money', { bare: true })}`} negative={r.value < 0} onPress={() => undefined}>
                    {format(r.value, 'money', { bare: true })}
                  </CellButton>
                ),
              },
            ]}
          />
        </Card>
      </div>
    </Page>
  );
}
