import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { AriaComponent, BrushComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

// Loaded after the first paint; only what the charts use. Canvas: the SVG renderer sets
// style attributes, which the policy refuses.
use([
  LineChart,
  BarChart,
  ScatterChart,
  GridComponent,
  TooltipComponent,
  LegendComponent,
  BrushComponent,
  MarkLineComponent,
  AriaComponent,
  CanvasRenderer,
]);

export { init };
