import { sentence } from '../../lib/format';

/** The server's words as a sentence whose minus signs stay with their numbers. */
export const said = (text: string) => sentence(text).replace(/\u2212(?=[\d.$€£])/g, '\u2212\u2060');
