// The time range: quick ones, or from and to as people type them. What is chosen goes into the URL, relative or in UTC.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useKeys } from '../app/keys';
import { parseTimeInput, quickRanges, rangeLabel } from '../lib/time';
import { useZone } from './time';

interface Props { from: string; to: string; onChange: (from: string, to: string) => void; what: string }

export function RangePicker({ from, to, onChange, what }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const zoneName = useZone();
  const close = () => { setOpen(false); trigger.current?.focus(); };
  useKeys({ Escape: close }, { modal: true, active: open });
  useEffect(() => {
    if (!open) return;
    const away = (e: Event) => { if (!box.current?.contains(e.target as Node)) setOpen(false); };
    document.addEventListener('pointerdown', away);
    return () => document.removeEventListener('pointerdown', away);
  }, [open]);
  return (
    <div class="menu range" ref={box}>
      <button ref={trigger} type="button" class="button" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.400" /><path d="M8 4.500V8l2.500 1.500" fill="none" stroke="currentColor" stroke-width="1.400" stroke-linecap="round" /></svg>
        {rangeLabel(from, to, zoneName)}
      </button>
      {open && <RangePanel from={from} to={to} what={what} onChange={(f, t) => { close(); onChange(f, t); }} />}
    </div>
  );
}

function RangePanel({ from, to, onChange, what }: Props) {
  const [start, setStart] = useState(from);
  const [end, setEnd] = useState(to);
  const [wrong, setWrong] = useState('');
  const apply = (e: Event) => {
    e.preventDefault();
    const f = parseTimeInput(start);
    const t = parseTimeInput(end);
    if (f === null || t === null) setWrong(`“${f === null ? start : end}” is no time. Use now-48h, 2026-11-20 14:03, or RFC 3339.`);
    else onChange(f, t);
  };
  return (
    <div class="menu-list range-panel" role="dialog" aria-label={`Time range of ${what}`}>
      <div class="range-quick">
        {quickRanges.map(([f, label]) => <button key={label} type="button" aria-pressed={f === from && to === ''} onClick={() => onChange(f, '')}>{label}</button>)}
      </div>
      <form class="range-exact" onSubmit={apply}>
        <p>{what}; typed times are UTC</p>
        <label class="field">From<input type="text" class="mono" value={start} onInput={(e) => setStart(e.currentTarget.value)} placeholder="now-48h" autocomplete="off" spellcheck={false} autofocus /></label>
        <label class="field">To<input type="text" class="mono" value={end} onInput={(e) => setEnd(e.currentTarget.value)} placeholder="now" autocomplete="off" spellcheck={false} /></label>
        {wrong !== '' && <p class="field-wrong" role="alert">{wrong}</p>}
        <button type="submit" class="button button-primary">Apply</button>
      </form>
    </div>
  );
}
