// The command palette: pages, settings and whatever the search finds, by typing.
import { useState, useId } from 'preact/hooks';
import { theme, zone } from '../lib/prefs';
import { Dialog } from '../ui/dialog';
import { navigate } from './router';
import { HitLine, hitUrl, useHits } from './search';
import { logOut } from './session';
import { undoLast } from './toasts';
import { helpOpen } from './shell';

interface Command { title: string; detail: string; run: () => void }

const commands: Command[] = [
  { title: 'Queue: open incidents', detail: 'g q', run: () => navigate('/queue?stage=-closed') },
  { title: 'Queue: new and unassigned', detail: '', run: () => navigate('/queue?stage=triage&assignee=none') },
  { title: 'Queue: mine', detail: '', run: () => navigate('/queue?stage=-closed&assignee=me') },
  { title: 'Queue: closed', detail: '', run: () => navigate('/queue?stage=closed&sort=-updated') },
  { title: 'Vehicles', detail: 'g v', run: () => navigate('/vehicles') },
  { title: 'Silences', detail: 'g s', run: () => navigate('/silences') },
  { title: 'Alert budgets', detail: '', run: () => navigate('/silences?tab=budgets') },
  { title: 'Rules', detail: 'g r', run: () => navigate('/rules') },
  { title: 'Times in UTC', detail: '', run: () => { zone.value = 'utc'; } },
  { title: 'Times in the zone of this computer', detail: '', run: () => { zone.value = 'local'; } },
  { title: 'Theme: dark', detail: '', run: () => { theme.value = 'dark'; } },
  { title: 'Theme: light', detail: '', run: () => { theme.value = 'light'; } },
  { title: 'Theme: as the system', detail: '', run: () => { theme.value = 'system'; } },
  { title: 'Undo the last act', detail: 'u', run: undoLast },
  { title: 'Keyboard help', detail: '?', run: () => { helpOpen.value = true; } },
  { title: 'Log out', detail: '', run: () => void logOut() },
];

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = commands.filter((c) => words.every((w) => c.title.toLowerCase().includes(w)));
  const { hits } = useHits(text);
  const count = matching.length + hits.length;
  const run = (index: number) => {
    const command = matching[index];
    const hit = hits[index - matching.length];
    onClose();
    if (command) command.run();
    else if (hit) navigate(hitUrl(hit));
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown') setChosen((c) => Math.min(count - 1, c + 1));
    else if (e.key === 'ArrowUp') setChosen((c) => Math.max(0, c - 1));
    else if (e.key === 'Enter') run(chosen);
    else return;
    e.preventDefault();
  };
  return (
    <Dialog title="Commands" onClose={onClose} class="palette">
      <input type="text" role="combobox" aria-label="Command or name" aria-expanded="true" aria-controls={`${id}-list`} aria-activedescendant={`${id}-${chosen}`} autocomplete="off" spellcheck={false} autofocus
        placeholder="Type a command, an incident or a vehicle" value={text} onInput={(e) => { setText(e.currentTarget.value); setChosen(0); }} onKeyDown={onKeyDown} />
      <div class="palette-list" id={`${id}-list`} role="listbox" aria-label="Commands">
        {matching.map((c, i) => (
          <div key={c.title} id={`${id}-${i}`} role="option" aria-selected={i === chosen} class="hit" onClick={() => run(i)}><span class="hit-title">{c.title}</span><span class="hit-detail">{c.detail}</span></div>
        ))}
        {hits.map((hit, n) => {
          const i = matching.length + n;
          return <div key={`${hit.kind} ${hit.id}`} id={`${id}-${i}`} role="option" aria-selected={i === chosen} class="hit" onClick={() => run(i)}><HitLine hit={hit} /></div>;
        })}
      </div>
    </Dialog>
  );
}
