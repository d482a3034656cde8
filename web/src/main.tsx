import '@fontsource-variable/inter/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/print.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { session } from './api/accounts';
import { api, RequestError } from './api/client';
import { rights } from './api/queries';
import { noteAnswer } from './app/live';
import { router } from './app/router';
import { watchForUpdates } from './app/worker';
import { onUsage, used } from './lib/usage';

api.use({
  onResponse: ({ response }) => {
    noteAnswer(response);
    // A session that ended meanwhile: the page to sign in takes over.
    if (response.status === 401 && !/\/api\/v1\/(session|access-links)/.test(response.url))
      client.invalidateQueries({ queryKey: session().queryKey });
  },
});

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      networkMode: 'always', // the server is this machine: it answers without any network
      retry: (failures, error) =>
        failures < 2 && !(error instanceof RequestError && error.problem.status >= 400 && error.problem.status < 500),
    },
    mutations: { networkMode: 'always' },
  },
});

onUsage((features) => {
  if (client.getQueryData(session().queryKey)?.signed_in !== true) return;
  if (client.getQueryData(rights().queryKey)?.viewing) return; // a look as another role changes nothing
  api.POST('/api/v1/usage', { body: { features } }).catch(() => undefined); // a lost count is no loss
});
router.subscribe('onResolved', ({ toLocation, pathChanged }) => {
  if (pathChanged) used(`page.${toLocation.pathname.split('/')[1] || 'overview'}`);
});

watchForUpdates();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
