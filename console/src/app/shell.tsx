// The frame around every screen: header, screen, toasts, and the keys that work everywhere. Screens are loaded when they are first shown.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { Login } from '../features/login/login';
import { ProblemBox } from '../ui/states';
import { copyText } from '../ui/copy';
import { Header } from './header';
import { Help } from './help';
import { useKeys } from './keys';
import { Palette } from './palette';
import { location, navigate, routeOf, type Route } from './router';
import { me, resume, startProblem } from './session';
import { note, undoLast } from './toasts';
import { ToastStack } from './toast_stack';

export const helpOpen = signal(false);
export const paletteOpen = signal(false);

/** The styles of all screens but the queue, which stay out of the way of the first one. */
let styles: Promise<unknown> | null = null;
function pageStyles(): Promise<unknown> {
  styles ??= new Promise((done) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = document.querySelector<HTMLMetaElement>('meta[name=pages]')?.content ?? '';
    link.onload = link.onerror = done;
    document.head.append(link);
  });
  return styles;
}
const page = async <T,>(module: Promise<T>): Promise<T> => (await Promise.all([module, pageStyles()]))[0];

interface Screen { view: ComponentType<{ route: Route }> }
const loaders: Record<Route['name'], () => Promise<Screen>> = {
  queue: async () => ({ view: (await import('../features/queue/queue')).Queue }),
  incident: async () => ({ view: (await page(import('../features/incident/incident_page'))).IncidentPage }),
  vehicles: async () => ({ view: (await page(import('../features/vehicle/vehicles_page'))).VehiclesPage }),
  vehicle: async () => ({ view: (await page(import('../features/vehicle/vehicle_page'))).VehiclePage }),
  silences: async () => ({ view: (await page(import('../features/economy/silences_page'))).SilencesPage }),
  rules: async () => ({ view: (await page(import('../features/economy/rules_page'))).RulesPage }),
  campaigns: async () => ({ view: (await page(import('../features/campaign/campaigns_page'))).CampaignsPage }),
  unknown: async () => ({ view: (await import('./unknown')).Unknown }),
};

function CurrentScreen() {
  const route = routeOf(location.value.path);
  const [loaded, setLoaded] = useState<{ name: string; screen: Screen } | null>(null);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    let wanted = true;
    setBroken(false);
    loaders[route.name]().then(
      (screen) => wanted && setLoaded({ name: route.name, screen }),
      () => wanted && setBroken(true),
    );
    return () => { wanted = false; };
  }, [route.name]);
  if (broken) {
    return (
      <main class="screen-message">
        <ProblemBox retry={() => window.location.reload()} problem={{ type: 'about:blank', title: 'This screen could not be loaded', status: 0, code: 'net', detail: 'Its program file did not arrive.', next: 'Check the network, then try again. After an upgrade of the server a reload is enough', request_id: '' }} />
      </main>
    );
  }
  if (!loaded || loaded.name !== route.name) return <main class="screen-message" aria-busy="true" />;
  const View = loaded.screen.view;
  return <View route={route} />;
}

function GlobalKeys() {
  useKeys({
    '?': () => { helpOpen.value = true; },
    '/': () => document.getElementById('search')?.focus(),
    'Ctrl+k': () => { paletteOpen.value = true; },
    'g q': () => navigate('/queue'),
    'g v': () => navigate('/vehicles'),
    'g s': () => navigate('/silences'),
    'g r': () => navigate('/rules'),
    u: undoLast,
    y: () => void copyText(window.location.href).then((ok) => note(ok ? 'Link copied.' : 'The browser refused to copy. The address bar holds the same link.')),
  });
  return null;
}

export function Shell() {
  if (startProblem.value) {
    return <main class="screen-message"><ProblemBox problem={startProblem.value} retry={() => void resume()} /></main>;
  }
  if (me.value === undefined) return <main class="screen-message" aria-busy="true" />;
  if (me.value === null) return <Login />;
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={(e) => { e.preventDefault(); document.querySelector<HTMLElement>('main')?.focus(); }}>Skip to content</a>
      <GlobalKeys />
      <Header onHelp={() => { helpOpen.value = true; }} />
      <CurrentScreen />
      <ToastStack />
      {helpOpen.value && <Help onClose={() => { helpOpen.value = false; }} />}
      {paletteOpen.value && <Palette onClose={() => { paletteOpen.value = false; }} />}
    </div>
  );
}
