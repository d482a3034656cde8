import css from './charts.module.css';

/** A small line without axes: only the course of a value. Gaps are months without one. */
export function Sparkline({
  values,
  width = 120,
  height = 32,
  label,
}: {
  values: (number | null)[];
  width?: number;
  height?: number;
  label: string;
}) {
  const known = values.filter((v): v is number => v !== null);
  if (known.length < 2) return null;
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const x = (i: number) => 2 + (i / (values.length - 1)) * (width - 4);
  const y = (v: number) => height - 3 - ((v - low) / span) * (height - 6);
  let path = '';
  let drawing = false;
  values.forEach((v, i) => {
    if (v !== null) path += `${drawing ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    drawing = v !== null;
  });
  const last = values.at(-1);
  return (
    <svg className={css.spark} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <path d={path} fill="none" stroke="var(--series-1)" strokeWidth="1.75" strokeLinejoin="round" strokeLinecap="round" />
      {last !== null && last !== undefined ? <circle cx={x(values.length - 1)} cy={y(last)} r="2.75" fill="var(--series-1)" /> : null}
    </svg>
  );
}
