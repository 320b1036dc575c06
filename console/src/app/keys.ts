// One keyboard for the whole console. Screens lay a set of keys on top while they are shown; the topmost set that knows a key gets it.
// Typing into a field is never a shortcut. Single keys can be switched off (WCAG 2.1.4), the Ctrl combinations stay.
import { useEffect, useRef } from 'preact/hooks';
import { shortcuts } from '../lib/prefs';

export interface KeySet {
  [key: string]: (event: KeyboardEvent) => void;
}

const CHORD_MS = 1500;
const stack: { keys: KeySet; modal: boolean }[] = [];
let chordFrom = 0;

export const inField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
  !(target instanceof HTMLInputElement && /^(checkbox|radio|button)$/.test(target.type));

/** The name a key set uses: "j", "J" (shifted), "Ctrl+k", "g q" (one after the other), "ArrowDown", "Escape". */
export function keyName(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>, afterG: boolean): string {
  if (event.altKey) return '';
  if (event.ctrlKey || event.metaKey) return `Ctrl+${event.key.toLowerCase()}`;
  return afterG ? `g ${event.key}` : event.key;
}

function isPlainActivation(event: KeyboardEvent): boolean {
  // Enter and Space on a link, a button or a summary belong to that control.
  return (event.key === 'Enter' || event.key === ' ') && event.target instanceof Element && event.target.closest('a, button, summary, input, [role=tab]') !== null;
}

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const combined = event.ctrlKey || event.metaKey;
  const named = event.key.length > 1;
  if (inField(event.target) && event.key !== 'Escape' && !combined) return;
  if (!combined && !named && shortcuts.value === 'off') return;
  if (isPlainActivation(event)) return;
  const afterG = Date.now() - chordFrom < CHORD_MS;
  chordFrom = 0;
  for (let i = stack.length - 1; i >= 0; i--) {
    const layer = stack[i];
    if (!layer) continue;
    const action = layer.keys[keyName(event, afterG)];
    if (action) {
      event.preventDefault();
      action(event);
      return;
    }
    if (layer.modal) return;
  }
  if (event.key === 'g' && !combined) chordFrom = Date.now();
}

document.addEventListener('keydown', handle);

/** Lays `keys` on top while the component is mounted. A modal set hides everything below it. */
export function useKeys(keys: KeySet, options: { modal?: boolean; active?: boolean } = {}): void {
  const layer = useRef({ keys, modal: options.modal ?? false });
  layer.current.keys = keys;
  const active = options.active ?? true;
  useEffect(() => {
    if (!active) return;
    const mine = layer.current;
    stack.push(mine);
    return () => void stack.splice(stack.indexOf(mine), 1);
  }, [active]);
}

export interface KeyHelp { keys: string[]; text: string }
export const keyHelp: { title: string; rows: KeyHelp[] }[] = [
  { title: 'Everywhere', rows: [
    { keys: ['/'], text: 'Search: incident, vehicle, alert, rule, signature' },
    { keys: ['Ctrl', 'K'], text: 'Command palette' },
    { keys: ['g', 'q'], text: 'Go to the queue' },
    { keys: ['g', 'v'], text: 'Go to vehicles' },
    { keys: ['u'], text: 'Undo the last act' },
    { keys: ['y'], text: 'Copy the link to this view' },
    { keys: ['?'], text: 'This sheet' },
  ] },
  { title: 'Lists', rows: [
    { keys: ['j', 'k'], text: 'Move the cursor down, up; also the arrow keys' },
    { keys: ['Space'], text: 'Peek: show the row beside the list' },
    { keys: ['Enter'], text: 'Open' },
    { keys: ['Esc'], text: 'Close, step back' },
    { keys: ['x'], text: 'Select the row; with Shift J and K extend' },
    { keys: ['Ctrl', 'A'], text: 'Select all loaded rows' },
    { keys: ['n'], text: 'Show new items' },
  ] },
  { title: 'Incidents', rows: [
    { keys: ['i'], text: 'Take it (assign to yourself)' },
    { keys: ['a'], text: 'Assign to someone' },
    { keys: ['t'], text: 'Verdict: malicious' },
    { keys: ['f'], text: 'Verdict: false positive' },
    { keys: ['h'], text: 'Verdict: hardware fault' },
    { keys: ['c'], text: 'Comment' },
    { keys: ['[', ']'], text: 'Previous, next incident of the list you came from' },
    { keys: ['1', '…', '7'], text: 'Jump to a card' },
    { keys: ['v'], text: 'Chart or table' },
  ] },
];
