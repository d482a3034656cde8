import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { reportTemplate, reportTemplates } from '../../api/reports';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { titleOf } from '../../metrics/reporting';
import { Loaded } from '../../ui/States';
import { TemplateEditor } from './TemplateEditor';
import { BLANK, freeName, renamed } from './words';

/** A template that is being written: a blank one, or a copy. */
export function NewTemplate() {
  const [search] = useAddress();
  const copy = search.copy ?? '';
  const list = useQuery(reportTemplates());
  const of = useQuery(reportTemplate(copy));
  if (copy !== '' && of.data === undefined)
    return (
      <Page title={t('New template')}>
        <Loaded query={of} height={480}>
          {() => null}
        </Loaded>
      </Page>
    );
  return (
    <Loaded query={list} height={480}>
      {({ items }) => (
        <TemplateEditor
          key={copy}
          title={of.data && copy ? t('Copy of {{title}}', { title: titleOf(of.data) }) : t('New template')}
          text={
            of.data && copy
              ? renamed(
                  of.data.text,
                  freeName(
                    copy,
                    items.map((x) => x.name),
                  ),
                )
              : BLANK
          }
        />
      )}
    </Loaded>
  );
}

/** A template with its text; built-in ones can be read and copied. */
export function TemplatePage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const query = useQuery(reportTemplate(name));
  if (query.data === undefined)
    return (
      <Page title={t('Template')}>
        <Loaded query={query} height={480}>
          {() => null}
        </Loaded>
      </Page>
    );
  return <TemplateEditor key={name} title={titleOf(query.data)} text={query.data.text} saved={query.data} />;
}
