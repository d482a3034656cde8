import i18next, { type TOptions } from 'i18next';

// The English text is the key, so that code reads as the page does; another language is a
// file of {English: translation}. Plurals follow i18next: key_one, key_other.
i18next.init({
  lng: 'en',
  fallbackLng: false,
  keySeparator: false,
  nsSeparator: false,
  initAsync: false,
  interpolation: { escapeValue: false },
  resources: {
    en: {
      translation: {
        '{{count}} rows_one': '{{count}} row',
        '{{count}} rows_other': '{{count}} rows',
        '{{count}} findings_one': '{{count}} finding',
        '{{count}} findings_other': '{{count}} findings',
        '{{count}} clients_one': '{{count}} client',
        '{{count}} clients_other': '{{count}} clients',
        '{{count}} files_one': '{{count}} file',
        '{{count}} files_other': '{{count}} files',
        '{{count}} rows rejected_one': '{{count}} row rejected',
        '{{count}} rows rejected_other': '{{count}} rows rejected',
        '{{count}} need your review_one': '{{count}} needs your review',
        '{{count}} need your review_other': '{{count}} need your review',
        '{{count}} months_one': '{{count}} month',
        '{{count}} months_other': '{{count}} months',
      },
    },
  },
});

/** The text in the user's language; {{names}} are filled from the values. */
export function t(text: string, values?: TOptions): string {
  return i18next.t(text, values ?? {});
}
