/** A text in three parts: before, at and after the character that a message points to. */
export function around(text: string, message: string): [string, string, string] | undefined {
  const found = /\(character (\d+)\)/.exec(message);
  if (!found) return undefined;
  const all = [...text]; // the API counts characters, not UTF-16 units
  const at = Number(found[1]) - 1;
  if (at < 0 || at >= all.length) return undefined;
  return [all.slice(0, at).join(''), all[at] ?? '', all.slice(at + 1).join('')];
}

/** The text with a word put in place of a selection, set off by spaces, and where the cursor is then. */
export function inserted(text: string, from: number, to: number, word: string): { text: string; cursor: number } {
  const before = text.slice(0, from);
  const after = text.slice(to);
  const left = before === '' || /[\s(]$/.test(before) ? '' : ' ';
  const right = after === '' || /^[\s),]/.test(after) ? '' : ' ';
  return { text: before + left + word + right + after, cursor: before.length + left.length + word.length };
}

/** "lag(x, n): what it is" as what is written and what it says. */
export function usageOf(line: string): { call: string; says: string } {
  const end = closing(line);
  return { call: line.slice(0, end), says: line.slice(end).replace(/^[\s:,–-]+/, '') };
}

function closing(line: string): number {
  let depth = 0;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '(') depth++;
    if (line[i] === ')' && --depth === 0) return i + 1;
  }
  return line.length;
}
