import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { MoonStar, Search, ShieldAlert, Sun, WifiOff } from 'lucide-react';
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { session } from '../api/accounts';
import { type Rights, settings, status } from '../api/queries';
import { day, instant, setConventions } from '../lib/format';
import { t } from '../lib/i18n';
import { look, setLook } from '../lib/look';
import { carried, useAddress, usePanel } from '../lib/state';
import { allows, useRights } from '../metrics/rights';
import { Kbd } from '../ui/Card';
import { MayContext } from '../ui/may';
import { Empty, Failure, Refused, Skeleton } from '../ui/States';
import { useConnection } from './live';
import { isFiltered, isTimed, needOf, type Place, usePlaces } from './nav';
import { Page } from './Page';
import css from './shell.module.css';

// What a first look does not need comes right after it, so that no key is lost later.
const parts = {
  palette: () => import('./Palette'),
  panel: () => import('../metrics/ExplainPanel'),
  toasts: () => import('../ui/Toasts'),
  more: () => import('./More'),
  bell: () => import('./Bell'),
};
const Palette = lazy(() => parts.palette().then((m) => ({ default: m.Palette })));
const ExplainPanel = lazy(() => parts.panel().then((m) => ({ default: m.ExplainPanel })));
const Toasts = lazy(() => parts.toasts().then((m) => ({ default: m.Toasts })));
const TopBar = lazy(() => import('./TopBar').then((m) => ({ default: m.TopBar })));
const Looking = lazy(() => import('./Looking').then((m) => ({ default: m.Looking })));
const Bell = lazy(() => parts.bell().then((m) => ({ default: m.Bell })));
const More = lazy(() => parts.more().then((m) => ({ default: m.More })));

/** Calls f once the page has settled. */
function whenIdle(f: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(f, { timeout: 2000 });
  else setTimeout(f, 300);
}

export function Shell() {
  const [search] = useAddress();
  const path = useLocation({ select: (l) => l.pathname });
  const main = useRef<HTMLElement>(null);
  const [palette, setPalette] = useState(false);
  const { keys, begin } = useEarlyKeys(palette);
  const places = usePlaces();
  const asked = useQuery(status());
  const data = asked.data;
  const workspace = useQuery(settings()).data;
  setConventions({ locale: workspace?.locale || 'en-US', currency: data?.currency || workspace?.currency || '' });
  const kiosk = search.kiosk === 1;
  const rights = useRights();
  // Until the rights are there, what the session says of them: a page must not ask for what is refused.
  const granted = useQuery(session()).data?.actions ?? undefined;
  const mayDo = useCallback(
    (action: string) => (rights || !granted ? allows(rights, action) : action === '' || granted.includes(action)),
    [rights, granted],
  );
  const may = mayDo(needOf(path));
  const navigate = useNavigate();
  const [idle, setIdle] = useState(false);

  useEffect(() => {
    whenIdle(() => {
      setIdle(true);
      for (const load of Object.values(parts)) load();
    });
  }, []);

  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const typing = e.target instanceof HTMLElement && e.target.closest('input, textarea, select, [contenteditable]');
      if ((e.key === 'k' && (e.ctrlKey || e.metaKey)) || (e.key === '/' && !typing)) {
        e.preventDefault();
        begin();
        setPalette(true);
      }
      if (e.key === '?' && !typing) navigate({ to: '/help' });
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [navigate, begin]);

  // A new page: its head is read out and Tab goes on from there.
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what the effect is about
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);

  const bar = isTimed(path) && !data?.empty && may;
  if (kiosk) {
    return (
      <MayContext value={mayDo}>
        <div className={css.kiosk}>
          <main id="main" className={css.page} ref={main} tabIndex={-1}>
            <Outlet />
          </main>
          <Suspense>
            <OpenPanel />
            {idle ? <Toasts /> : null}
          </Suspense>
        </div>
      </MayContext>
    );
  }
  return (
    <MayContext value={mayDo}>
      <div className={css.shell}>
        <a className={css.skip} href="#main">
          {t('Skip to content')}
        </a>
        <nav className={css.nav} aria-label={t('Main')} data-chrome>
          <Link to="/" search={carried(search) as never} className={css.brand}>
            <img src="/icon.svg" alt="" />
            <span>MoatMetrics</span>
          </Link>
          {places.map((g) => (
            <div key={g.head}>
              <p className={css.navHead}>{g.head}</p>
              {g.places.map((p) => (
                <NavLink key={p.to} place={p} path={path} />
              ))}
            </div>
          ))}
          <p className={css.navFoot}>{t('Computed on this machine. Nothing was sent anywhere.')}</p>
        </nav>
        <div className={css.main}>
          <Connection />
          <Unencrypted />
          {rights?.viewing ? (
            <Suspense>
              <Looking view={rights.viewing} label={rights.label} />
            </Suspense>
          ) : null}
          <header className={css.top} data-chrome>
            {bar ? (
              <Suspense fallback={<Skeleton height={36} width={320} />}>
                <TopBar filter={isFiltered(path)} />
              </Suspense>
            ) : null}
            <div className={css.topEnd}>
              <button type="button" className={css.searchButton} onClick={() => setPalette(true)} aria-keyshortcuts="Control+K">
                <Search size={16} aria-hidden="true" />
                <span className={css.searchText}>{t('Search')}</span>
                <span aria-hidden="true">
                  <Kbd>Ctrl K</Kbd>
                </span>
              </button>
              {idle ? (
                <Suspense>
                  <Bell />
                </Suspense>
              ) : null}
              <ThemeButton />
              <Me />
            </div>
          </header>
          <main id="main" className={css.page} ref={main} tabIndex={-1}>
            {!may ? (
              <Page title={t('This page is not for your role')}>
                <NotForYou need={needOf(path)} all={rights?.all ?? []} />
              </Page>
            ) : asked.isError && !data && isTimed(path) ? (
              <Page title={t('MoatMetrics')}>
                <Failure error={asked.error} onRetry={() => asked.refetch()} />
              </Page>
            ) : data?.empty && path !== '/' && (isTimed(path) || path.startsWith('/dashboards/')) ? (
              <NoData />
            ) : (
              <Outlet />
            )}
            {bar && data?.data_through ? (
              <p className="muted small" data-asof>
                {t('Data through {{day}} · snapshot {{snapshot}} of {{at}}', {
                  day: day(String(data.data_through)),
                  snapshot: data.snapshot,
                  at: instant(data.snapshot_at ?? ''),
                })}
              </p>
            ) : null}
          </main>
        </div>
        <TabBar path={path} />
        <Suspense>
          {palette ? <Palette open onClose={() => setPalette(false)} early={keys} /> : null}
          <OpenPanel />
          {idle ? <Toasts /> : null}
        </Suspense>
      </div>
    </MayContext>
  );
}

/** In place of a page that the role does not open. */
function NotForYou({ need, all }: { need: string; all: Rights['all'] }) {
  const missing = all.find((a) => a.action === need);
  return <Refused action={missing?.label ?? need} who={missing?.roles} />;
}

/** In place of figures before there are any. */
function NoData() {
  return (
    <Page title={t('Nothing is imported yet')}>
      <Empty title={t('There are no figures to show')} action={<Link to="/import">{t('Import files')}</Link>}>
        {t('Drop the exports of your tools on Import: invoices and time entries give the first answers.')}
      </Empty>
    </Page>
  );
}

/**
 * What is typed after the palette was asked for and before it has the focus: begin() from
 * the key or click itself, since the first letter may come before the next drawing.
 */
function useEarlyKeys(open: boolean) {
  const keys = useRef('');
  const waiting = useRef(false);
  useEffect(() => {
    if (!open) waiting.current = false;
  }, [open]);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (!waiting.current || e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.target instanceof HTMLElement && e.target.closest('input')) {
        waiting.current = false; // the palette has the focus
        return;
      }
      keys.current += e.key;
      e.preventDefault();
    };
    addEventListener('keydown', onKey, true);
    return () => removeEventListener('keydown', onKey, true);
  }, []);
  const begin = useCallback(() => {
    keys.current = '';
    waiting.current = true;
  }, []);
  return { keys, begin };
}

function NavLink({ place, path, onGo }: { place: Place; path: string; onGo?: () => void }) {
  const [search] = useAddress();
  const on = place.to === '/' ? path === '/' : path === place.to || path.startsWith(`${place.to}/`);
  return (
    <Link
      to={place.to}
      search={carried(search) as never}
      className={css.navLink}
      {...(on ? { 'aria-current': 'page' as const } : {})}
      title={place.label}
      {...(onGo ? { onClick: onGo } : {})}
    >
      <place.icon size={18} aria-hidden="true" />
      <span>{place.label}</span>
    </Link>
  );
}

function TabBar({ path }: { path: string }) {
  const [more, setMore] = useState(false);
  const [search] = useAddress();
  const all = usePlaces().flatMap((g) => g.places);
  const main = ['/', '/clients', '/licenses', '/explore'].flatMap((to) => all.filter((p) => p.to === to));
  return (
    <nav className={css.tabbar} aria-label={t('Main, for small screens')} data-chrome>
      {main.map((p) => {
        const on = p.to === '/' ? path === '/' : path.startsWith(p.to);
        return (
          <Link key={p.to} to={p.to} search={carried(search) as never} {...(on ? { 'aria-current': 'page' as const } : {})}>
            <p.icon size={20} aria-hidden="true" />
            {p.label}
          </Link>
        );
      })}
      <button type="button" onClick={() => setMore(true)} aria-haspopup="dialog">
        <span aria-hidden="true" style={{ fontSize: 20, lineHeight: '20px' }}>
          ⋯
        </span>
        {t('More')}
      </button>
      {more ? (
        <Suspense>
          <More onClose={() => setMore(false)} />
        </Suspense>
      ) : null}
    </nav>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState(look().theme);
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  return (
    <button
      type="button"
      className={css.themeButton}
      aria-label={dark ? t('Light theme') : t('Dark theme')}
      onClick={() => {
        setLook({ theme: dark ? 'light' : 'dark' });
        setTheme(dark ? 'light' : 'dark');
      }}
    >
      {dark ? <Sun size={18} /> : <MoonStar size={18} />}
    </button>
  );
}

/** Who is signed in; nobody before there are accounts. */
function Me() {
  const who = useQuery(session()).data;
  if (!who?.account) return null;
  const letters = (who.name ?? '').split(/\s+/).filter(Boolean);
  const initials = [letters[0], letters.length > 1 ? letters.at(-1) : ''].map((w) => w?.[0]?.toUpperCase() ?? '').join('');
  return (
    <Link to="/profile" className={css.me} aria-label={t('Profile of {{name}}', { name: who.name })} title={who.name}>
      {initials}
    </Link>
  );
}

/** Apart, so that opening the panel draws nothing else anew. */
function OpenPanel() {
  return usePanel() ? <ExplainPanel /> : null;
}

/** Whether others on the way can read along: not on this machine, and not over TLS. */
const open = location.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);

function Unencrypted() {
  if (!open) return null;
  return (
    <p className={css.offline} role="status">
      <ShieldAlert size={16} aria-hidden="true" />
      {t('This connection is not encrypted: others on the network can read these figures. Whoever runs MoatMetrics turns on TLS.')}
    </p>
  );
}

function Connection() {
  const { online, since } = useConnection();
  if (online) return null;
  return (
    <p className={css.offline} role="status">
      <WifiOff size={16} aria-hidden="true" />
      {t('MoatMetrics does not answer. These are the figures kept on this device, made {{at}}.', { at: instant(since) })}
    </p>
  );
}
