import type { RiskComponent } from '../api/queries';
import { Badge } from '../ui/Card';
import { STATES } from './riskStates';

/** The state of a figure, a component or a project. */
export function StateBadge({ state }: { state: RiskComponent['state'] }) {
  const { label, tone } = STATES[state];
  return <Badge {...(tone ? { tone } : {})}>{label}</Badge>;
}
