// The English text is the key, so that code reads as the page does. Another language is a
// file of {English: translation}; plurals follow Intl.PluralRules: "key_one", "key_other".

const english: Record<string, string> = {
  '{{count}} rows_one': '{{count}} row',
  '{{kind}}, {{count}} rows of {{dataset}} from {{source}}_one': '{{kind}}, {{count}} row of {{dataset}} from {{source}}',
  '{{count}} findings_one': '{{count}} finding',
  '{{count}} clients_one': '{{count}} client',
  '{{count}} files_one': '{{count}} file',
  '{{count}} rows rejected_one': '{{count}} row rejected',
  '{{count}} need your review_one': '{{count}} needs your review',
  'in {{count}} days_one': 'in {{count}} day',
  '{{seats}} seats, {{saving}} a month_one': '{{seats}} seat, {{saving}} a month',
  '{{count}} months_one': '{{count}} month',
  '{{count}} tiles_one': '{{count}} tile',
  'told {{count}} times, last {{at}}_one': 'told once, {{at}}',
  '{{count}} key figures_one': '{{count}} key figure',
  '{{count}} charts_one': '{{count}} chart',
  '{{count}} tables_one': '{{count}} table',
  '{{count}} answers_one': '{{count}} answer',
  '{{count}} notes_one': '{{count}} note',
  '{{count}} recipients_one': '{{count}} recipient',
  '{{count}} more rows are in the file._one': 'One more row is in the file.',
  '{{count}} people_one': '{{count}} person',
  '{{count}} errors_one': '{{count}} error',
  '{{count}} warnings_one': '{{count}} warning',
  '; {{count}} names to decide after the import_one': '; {{count}} name to decide after the import',
  '{{count}} names may mean clients, staff or products that you have._one':
    '{{count}} name may mean a client, person or product that you have.',
  '{{count}} tables need a word from you before they can be imported: see below._one':
    'One table needs a word from you before it can be imported: see below.',
  '{{count}} rows cannot be stored; they are listed and can be corrected later._one':
    '{{count}} row cannot be stored; it is listed and can be corrected later.',
  '{{count}} passkeys_one': '{{count}} passkey',
  'End {{count}} sessions_one': 'End {{count}} session',
  '{{count}} recovery codes are left, for when the phone is lost._one': '{{count}} recovery code is left, for when the phone is lost.',
  'Import the {{count}} that are ready_one': 'Import the one that is ready',
};

let language = 'en';
let texts = english;
let plurals = new Intl.PluralRules(language);

/** Changes the language of texts asked for from now on; the page draws anew. */
export function setLanguage(code: string, translation: Record<string, string>): void {
  language = code;
  texts = translation;
  plurals = new Intl.PluralRules(code);
  document.documentElement.lang = code;
}

/** The text in the user's language; {{names}} are filled from the values. */
export function t(text: string, values?: Record<string, string | number | undefined>): string {
  const count = values?.count;
  const plural = typeof count === 'number' ? texts[`${text}_${plurals.select(count)}`] : undefined;
  const found = plural ?? texts[text] ?? text;
  if (!values) return found;
  return found.replace(/{{(\w+)}}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? value.toLocaleString(language) : (value ?? '');
  });
}
