/** ECharts' own tooltip is HTML text, which the policy refuses: this builds nodes. */
export function tooltip(title: string, lines: { color?: string | undefined; name: string; value: string }[]): HTMLElement {
  const box = document.createElement('div');
  const head = document.createElement('div');
  head.textContent = title;
  head.style.fontWeight = '600';
  box.append(head);
  for (const line of lines) {
    const row = document.createElement('div');
    row.style.display = 'flex';
    row.style.gap = '12px';
    row.style.justifyContent = 'space-between';
    const name = document.createElement('span');
    name.textContent = line.name;
    if (line.color) {
      const dot = document.createElement('span');
      dot.textContent = '● ';
      dot.style.color = line.color;
      name.prepend(dot);
    }
    const value = document.createElement('span');
    value.textContent = line.value;
    value.style.fontVariantNumeric = 'tabular-nums';
    row.append(name, value);
    box.append(row);
  }
  return box;
}
