// On every page: where one is, the search, how current the picture is and what it does not see, the time zone, the theme, and who is logged in.
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import { heartbeat, healthTurn, liveState } from '../api/live';
import type { BlindSpot } from '../gen/api';
import { theme, zone, type Theme, type Zone } from '../lib/prefs';
import { formatLag, zoneLabel } from '../lib/time';
import { roleWord } from '../lib/words';
import { Menu } from '../ui/menu';
import { location, routeOf } from './router';
import { Search } from './search';
import { logOut, me } from './session';

const LAG_SLOW_MS = 5_000;

function Brand() {
  return (
    <a class="brand" href="/queue" aria-label="OpenVSOC, incident queue">
      <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true"><path d="M16 2 28 7v9c0 7-5 12-12 14C9 28 4 23 4 16V7z" fill="var(--accent-solid)" /><path d="M9 13l4.600 9.500h4.800L23 13" fill="none" stroke="#fff" stroke-width="2.600" stroke-linejoin="round" stroke-linecap="round" /></svg>
      <span>OpenVSOC</span>
    </a>
  );
}

function Navigation() {
  const name = routeOf(location.value.path).name;
  const here = (names: string[]) => (names.includes(name) ? ({ 'aria-current': 'page' } as const) : {});
  return (
    <nav class="nav" aria-label="Main">
      <a href="/queue" {...here(['queue', 'incident'])}>Queue</a>
      <a href="/vehicles" {...here(['vehicles', 'vehicle'])}>Vehicles</a>
      <a href="/campaigns" {...here(['campaigns'])}>Campaigns</a>
      <a href="/silences" {...here(['silences'])}>Silences</a>
      <a href="/rules" {...here(['rules'])}>Rules</a>
    </nav>
  );
}

function Live() {
  const beat = heartbeat.value;
  if (liveState.value === 'lost') return <span class="live live-lost" role="status" title="The live stream broke off. What you see is the last known state; it reconnects by itself.">No contact</span>;
  if (!beat) return <span class="live" role="status">Connecting</span>;
  if (beat.lag_ms === null) return <span class="live live-slow" role="status" title="No batch has been acknowledged yet, or ingest does not answer.">Ingest: no data</span>;
  const slow = beat.lag_ms > LAG_SLOW_MS || beat.detect_lag_ms === null || beat.detect_lag_ms > LAG_SLOW_MS;
  const detect = beat.detect_lag_ms === null ? 'no data' : formatLag(beat.detect_lag_ms);
  return (
    <span class={`live ${slow ? 'live-slow' : 'live-good'}`} title={`Ingest lag ${formatLag(beat.lag_ms)}, detection behind the log by ${detect}`}>
      Live <span class="num">{formatLag(beat.lag_ms)}</span>
    </span>
  );
}

function useBlindSpots(): BlindSpot[] {
  const [spots, setSpots] = useState<BlindSpot[]>([]);
  const turn = healthTurn.value;
  useEffect(() => {
    let wanted = true;
    call('getStats').then((s) => wanted && setSpots(s.health.blind_spots), () => {
      // The header says "no contact" by itself; without figures there is nothing more to say here.
    });
    return () => { wanted = false; };
  }, [turn]);
  return spots;
}

function BlindSpots() {
  const spots = useBlindSpots();
  const [first, ...rest] = spots;
  if (!first) return null;
  const text = (s: BlindSpot) => (s.link ? <a href={s.link}>{s.text}</a> : <span>{s.text}</span>);
  return (
    <section class="blind" aria-label="Blind spots">
      <span class="blind-label">Blind spot</span>
      {text(first)}
      {rest.length > 0 && (
        <details class="blind-more">
          <summary>{rest.length} more</summary>
          <ul>{rest.map((s) => <li key={s.code}>{text(s)}</li>)}</ul>
        </details>
      )}
    </section>
  );
}

function ZoneSwitch() {
  const choose = (z: Zone) => () => { zone.value = z; };
  const button = (z: Zone, label: string, title: string) => (
    <button type="button" aria-pressed={zone.value === z} onClick={choose(z)} title={title}>{label}</button>
  );
  return (
    <div class="segmented" role="group" aria-label="Time zone">
      {button('utc', 'UTC', 'Show all times in UTC')}
      {button('local', 'Local', `Show all times in the zone of this computer (${zoneLabel('local')})`)}
    </div>
  );
}

const themes: [Theme, string][] = [['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']];

export function Header({ onHelp }: { onHelp: () => void }) {
  const user = me.value;
  return (
    <header class="top">
      <div class="bar">
        <Brand />
        <Navigation />
        <Search />
        <Live />
        <ZoneSwitch />
        <Menu label="Theme" button={<ThemeIcon />}>
          {(close) => themes.map(([t, word]) => (
            <button key={t} type="button" role="menuitemradio" aria-checked={theme.value === t} onClick={() => { theme.value = t; close(); }}>{word}</button>
          ))}
        </Menu>
        <button type="button" class="icon-button" aria-label="Keyboard help" title="Keyboard help (?)" onClick={onHelp}>?</button>
        {user && (
          <Menu label={`User ${user.display}`} button={<span class="user">{user.display}</span>}>
            {(close) => (
              <>
                <p class="menu-note">{user.user}<br />{user.roles.map((r) => roleWord[r] ?? r).join(', ')}</p>
                <button type="button" role="menuitem" onClick={() => { close(); void logOut(); }}>Log out</button>
              </>
            )}
          </Menu>
        )}
      </div>
      <BlindSpots />
    </header>
  );
}

const ThemeIcon = () => (
  <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><circle cx="8" cy="8" r="6.200" fill="none" stroke="currentColor" stroke-width="1.500" /><path d="M8 1.800a6.200 6.200 0 0 1 0 12.400z" fill="currentColor" /></svg>
);
