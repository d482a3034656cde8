import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { validateSearch } from '../lib/state';
import { NotFound, RouteError } from './Errors';
import { Gate } from './Gate';

const root = createRootRoute({ component: Gate, validateSearch, notFoundComponent: NotFound, errorComponent: RouteError });

const at = <const P extends string, M extends Record<string, unknown>>(path: P, load: () => Promise<M>, name: keyof M) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(load as never, name as never),
    errorComponent: RouteError,
  });

const routes = [
  at('/', () => import('../features/overview/Overview'), 'Overview'),
  at('/questions', () => import('../features/questions/Questions'), 'Questions'),
  at('/questions/$name', () => import('../features/questions/Answer'), 'Answer'),
  at('/clients', () => import('../features/clients/Clients'), 'Clients'),
  at('/clients/$name', () => import('../features/clients/Client'), 'Client'),
  at('/agreements', () => import('../features/business/Agreements'), 'Agreements'),
  at('/licenses', () => import('../features/business/Licenses'), 'Licenses'),
  at('/team', () => import('../features/business/Team'), 'Team'),
  at('/service', () => import('../features/business/Service'), 'Service'),
  at('/cash', () => import('../features/business/Cash'), 'Cash'),
  at('/spend', () => import('../features/business/Spend'), 'Spend'),
  at('/risk', () => import('../features/risk/Risk'), 'Risk'),
  at('/books', () => import('../features/books/Books'), 'Books'),
  at('/explore', () => import('../features/explore/Explore'), 'Explore'),
  at('/trends', () => import('../features/trends/Trends'), 'Trends'),
  at('/benchmarks', () => import('../features/benchmarks/Benchmarks'), 'Benchmarks'),
  at('/scenarios', () => import('../features/scenarios/Scenarios'), 'Scenarios'),
  at('/scenarios/compare', () => import('../features/scenarios/Compare'), 'Compare'),
  at('/scenarios/$id', () => import('../features/scenarios/Scenario'), 'Scenario'),
  at('/kpis', () => import('../features/kpis/Kpis'), 'Kpis'),
  at('/kpis/new', () => import('../features/kpis/KpiPage'), 'NewKpi'),
  at('/kpis/edit/$name', () => import('../features/kpis/KpiPage'), 'KpiPage'),
  at('/dashboards', () => import('../features/dashboards/Dashboards'), 'Dashboards'),
  at('/dashboards/$id', () => import('../features/dashboards/Dashboard'), 'Dashboard'),
  at('/reports', () => import('../features/reports/Reports'), 'Reports'),
  at('/reports/new', () => import('../features/reports/TemplatePage'), 'NewTemplate'),
  at('/reports/templates/$name', () => import('../features/reports/TemplatePage'), 'TemplatePage'),
  at('/alerts', () => import('../features/alerts/Alerts'), 'Alerts'),
  at('/destinations', () => import('../features/delivery/Delivery'), 'DeliveryPage'),
  at('/import', () => import('../features/import/Import'), 'Import'),
  at('/import/$id', () => import('../features/import/ImportRecord'), 'ImportRecord'),
  at('/import/batch/$batch', () => import('../features/import/Batch'), 'BatchPage'),
  at('/sources', () => import('../features/sources/Sources'), 'Sources'),
  at('/sources/$id', () => import('../features/sources/SourcePage'), 'SourcePage'),
  at('/matching', () => import('../features/matching/Matching'), 'Matching'),
  at('/review', () => import('../features/review/Review'), 'Review'),
  at('/quality', () => import('../features/quality/Quality'), 'Quality'),
  at('/snapshots', () => import('../features/snapshots/Snapshots'), 'Snapshots'),
  at('/governance', () => import('../features/governance/Governance'), 'Governance'),
  at('/definitions', () => import('../features/definitions/Definitions'), 'Definitions'),
  at('/definitions/$measure', () => import('../features/definitions/Definition'), 'Definition'),
  at('/system', () => import('../features/system/System'), 'System'),
  at('/audit', () => import('../features/audit/Audit'), 'Audit'),
  at('/files', () => import('../features/files/Files'), 'Files'),
  at('/feedback', () => import('../features/feedback/Feedback'), 'Feedback'),
  at('/users', () => import('../features/access/Users'), 'Users'),
  at('/profile', () => import('../features/access/Profile'), 'Profile'),
  at('/welcome', () => import('../features/access/Welcome'), 'Welcome'),
  at('/sign-in', () => import('../features/access/SignIn'), 'SignedInAlready'),
  at('/settings', () => import('../features/settings/Settings'), 'Settings'),
  at('/policies', () => import('../features/policies/Policies'), 'Policies'),
  at('/help', () => import('../features/help/Help'), 'Help'),
  at('/gallery', () => import('./Gallery'), 'Gallery'),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([...routes]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingMs: 300,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
