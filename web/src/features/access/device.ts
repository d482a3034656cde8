import { t } from '../../lib/i18n';

/** A browser as people call it: "Firefox on Windows". */
export function deviceOf(agent: string): string {
  const find = (list: readonly (readonly [RegExp, string])[]) => list.find(([form]) => form.test(agent))?.[1];
  const browser = find([
    [/Edg\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\//, 'Firefox'],
    [/Chrome\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ]);
  const system = find([
    [/iPhone|iPad/, 'iOS'],
    [/Android/, 'Android'],
    [/Windows/, 'Windows'],
    [/Mac OS/, 'macOS'],
    [/Linux/, 'Linux'],
  ]);
  if (!browser) return system ?? t('a browser');
  return system ? t('{{browser}} on {{system}}', { browser, system }) : browser;
}
