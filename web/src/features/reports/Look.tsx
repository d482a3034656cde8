import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { faultOf, faultsOf, messageOf } from '../../api/client';
import { type Brand, brand, keepAsset, saveBrand } from '../../api/reports';
import { onWhite, READABLE, rgb } from '../../lib/contrast';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Group, TextField } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useUnsaved } from '../../ui/unsaved';
import css from './reports.module.css';

/** How reports look: logo, colors, font, footer and letter. */
export function Look() {
  const query = useQuery(brand());
  return (
    <Loaded query={query} height={480}>
      {(b) => <LookForm key={JSON.stringify(b)} saved={b} />}
    </Loaded>
  );
}

/** A color of the style sheet as the browser's color field takes it. */
const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function LookForm({ saved }: { saved: Brand }) {
  const client = useQueryClient();
  const [value, setValue] = useState<Brand>(saved);
  const set = (part: Partial<Brand>) => setValue((b) => ({ ...b, ...part }));
  const save = useMutation({
    mutationFn: (b: Brand) => saveBrand(b),
    onSuccess: async (_, b) => {
      const before = saved;
      toast(t('The look of reports is saved.'), {
        label: t('Undo'),
        run: () => {
          saveBrand(before)
            .then(() => client.invalidateQueries({ queryKey: ['reports', 'brand'] }))
            .catch((e) => toast(messageOf(e)));
        },
      });
      client.setQueryData(brand().queryKey, b);
      await client.invalidateQueries({ queryKey: ['reports', 'brand'] });
    },
  });
  const wrong = (path: string) => faultOf(save.error, path);
  const changed = JSON.stringify(value) !== JSON.stringify(saved);
  const leaving = useUnsaved(changed, 'tab');
  const readable = [value.primary, value.accent].every((c) => !c || (onWhite(c) ?? 0) >= READABLE);
  return (
    <div className={css.look}>
      {leaving}
      <Card title={t('How do reports look?')} subtitle={t('Every file that is made from now on; those that there are stay as they are')}>
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            save.mutate(clean(value));
          }}
        >
          {save.isError && faultsOf(save.error).length === 0 ? <Notice tone="bad">{messageOf(save.error)}</Notice> : null}
          <FileField
            label={t('Logo')}
            accept="image/png,image/jpeg"
            hash={value.logo ?? ''}
            onChange={(logo) => set({ logo })}
            hint={t('PNG or JPEG, at most 1 MB.')}
            fault={wrong('logo')}
          />
          <div className={css.fields}>
            <ColorField
              label={t('Main color')}
              value={value.primary ?? ''}
              plain={token('--paper-primary')}
              onChange={(primary) => set({ primary })}
              hint={t('Titles and the first series.')}
              fault={wrong('primary')}
            />
            <ColorField
              label={t('Second color')}
              value={value.accent ?? ''}
              plain={token('--paper-accent')}
              onChange={(accent) => set({ accent })}
              hint={t('What stands out.')}
              fault={wrong('accent')}
            />
          </div>
          <TextField
            label={t('Footer')}
            value={value.footer ?? ''}
            onChange={(footer) => set({ footer: footer.slice(0, 200) })}
            hint={t('On every page, such as Confidential.')}
            fault={wrong('footer')}
          />
          <TextField
            label={t('Letter before reports for clients')}
            multiline
            value={(value.letter ?? []).join('\n\n')}
            onChange={(text) => set({ letter: text === '' ? [] : text.split('\n\n') })}
            hint={t('An empty line begins a paragraph. {{words}} are filled in.', {
              words: '{{client}}, {{firm}}, {{period}}, {{as_of}}, {{snapshot}}',
            })}
            fault={wrong('letter')}
          />
          <Group legend={t('Font of your own')}>
            <TextField
              label={t('Name')}
              value={value.font ?? ''}
              onChange={(font) => set({ font: font.slice(0, 60) })}
              placeholder={t('Inter unless given')}
              fault={wrong('font')}
            />
            <FileField
              label={t('Regular')}
              accept=".ttf,font/ttf"
              hash={value.regular ?? ''}
              onChange={(regular) => set({ regular })}
              hint={t('TrueType (.ttf), at most 8 MB; both files are needed.')}
              fault={wrong('regular')}
            />
            <FileField
              label={t('Bold')}
              accept=".ttf,font/ttf"
              hash={value.bold ?? ''}
              onChange={(bold) => set({ bold })}
              hint=""
              fault={wrong('bold')}
            />
          </Group>
          <div className="row">
            <Button kind="primary" type="submit" need="settings.write" isDisabled={!changed || !readable || save.isPending}>
              {t('Save')}
            </Button>
            {changed ? <Button onPress={() => setValue(saved)}>{t('Start over')}</Button> : null}
          </div>
        </form>
      </Card>
      <Card title={t('A sample')} subtitle={t('Follows what you choose')}>
        <Sample brand={value} />
      </Card>
    </div>
  );
}

/** What is set, without what is left empty. */
const clean = (b: Brand): Brand => ({
  ...(Object.fromEntries(Object.entries(b).filter(([k, v]) => k !== 'letter' && v !== '' && v !== undefined)) as Brand),
  ...(b.letter?.some((p) => p.trim()) ? { letter: b.letter.map((p) => p.trim()).filter(Boolean) } : {}),
});

function ColorField({
  label,
  value,
  plain,
  onChange,
  hint,
  fault,
}: {
  label: string;
  value: string;
  /** The color without one of one's own. */
  plain: string;
  onChange: (next: string) => void;
  hint: string;
  fault: string | undefined;
}) {
  const contrast = value === '' ? undefined : onWhite(value);
  const said = value === '' ? undefined : contrast === undefined ? t('Write six digits and letters a to f after the number sign.') : fault;
  return (
    <div className={css.color}>
      <TextField label={label} value={value} onChange={(next) => onChange(next.trim())} placeholder={plain} hint={hint} fault={said} />
      <div className="row">
        <input
          type="color"
          aria-label={t('Choose the {{what}}', { what: label.toLowerCase() })}
          value={rgb(value) ? value.toLowerCase() : plain}
          onChange={(e) => onChange(e.target.value.toUpperCase())}
        />
        <span aria-live="polite">
          {contrast === undefined ? null : contrast >= READABLE ? (
            <Badge tone="good">{t('{{n}}:1, readable on paper', { n: contrast.toFixed(1) })}</Badge>
          ) : (
            <Badge tone="bad">{t('{{n}}:1, needs 4.5:1 to be read', { n: contrast.toFixed(1) })}</Badge>
          )}
        </span>
        {value ? (
          <Button kind="quiet" onPress={() => onChange('')} aria-label={t('{{what}}: back to the default', { what: label })}>
            {t('Default')}
          </Button>
        ) : null}
      </div>
    </div>
  );
}

function FileField({
  label,
  accept,
  hash,
  onChange,
  hint,
  fault,
}: {
  label: string;
  accept: string;
  hash: string;
  onChange: (hash: string) => void;
  hint: string;
  fault: string | undefined;
}) {
  const id = useId();
  const [name, setName] = useState('');
  const keep = useMutation({
    mutationFn: keepAsset,
    onSuccess: (sum, file) => {
      setName(file.name);
      onChange(sum);
    },
  });
  const wrong = keep.isError ? messageOf(keep.error) : fault;
  return (
    <div className={css.file}>
      <label htmlFor={id}>{label}</label>
      <div className="row">
        <input
          id={id}
          type="file"
          accept={accept}
          aria-describedby={`${id}-hint`}
          aria-invalid={Boolean(wrong)}
          onChange={(e) => {
            const file = e.target.files?.[0];
            if (file) keep.mutate(file);
          }}
        />
        {hash ? (
          <>
            <span className="muted small">{name || t('kept: {{hash}}', { hash: hash.slice(0, 12) })}</span>
            <Button
              kind="quiet"
              onPress={() => {
                setName('');
                onChange('');
              }}
              aria-label={t('Leave out: {{what}}', { what: label })}
            >
              {t('Leave out')}
            </Button>
          </>
        ) : null}
      </div>
      <p className="muted small" id={`${id}-hint`}>
        {hint}
      </p>
      {wrong ? (
        <p className={css.wrong} role="alert">
          {wrong}
        </p>
      ) : null}
    </div>
  );
}

/** A page in the colors that are chosen: paper is white in the dark, too. */
function Sample({ brand: b }: { brand: Brand }) {
  const ok = (c: string | undefined, plain: string) => (c && rgb(c) ? c : `var(${plain})`);
  const [main, second] = [ok(b.primary, '--paper-primary'), ok(b.accent, '--paper-accent')];
  const bars = [64, 82, 71, 90, 58, 77];
  return (
    <div className={css.sample}>
      {b.logo ? <img src={`/api/v1/report-assets/${b.logo}`} alt={t('The logo')} /> : null}
      <p style={{ color: main, fontSize: 20, fontWeight: 650 }}>{t('Business review')}</p>
      <p>{(b.letter ?? [])[0] || t('Revenue rose by 2.4% against the previous 12 months.')}</p>
      <p style={{ color: second, fontWeight: 600 }}>{t('What stands out has this color.')}</p>
      <div className={css.bars} aria-hidden="true">
        {bars.map((h, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a fixed picture
          <span key={i} style={{ height: h, background: i === 4 ? second : main }} />
        ))}
      </div>
      <p className={css.foot}>{b.footer || t('Your footer')}</p>
    </div>
  );
}
