// A card of the right-hand rail: collapsible, reachable by its number. A section that cannot be filled says why and what to do.
import type { ComponentChildren } from 'preact';
import type { Section } from '../gen/api';

export function Card({ n, title, note, children }: { n?: number; title: string; note?: ComponentChildren; children: ComponentChildren }) {
  return (
    <details class="card" open {...(n === undefined ? {} : { id: `card-${n}` })}>
      <summary><h2>{title}</h2>{note && <span class="card-note">{note}</span>}{n !== undefined && <kbd aria-hidden="true">{n}</kbd>}</summary>
      <div class="card-body">{children}</div>
    </details>
  );
}

export function focusCard(n: number): void {
  const card = document.getElementById(`card-${n}`);
  if (!(card instanceof HTMLDetailsElement)) return;
  card.open = true;
  card.scrollIntoView({ block: 'nearest' });
  card.querySelector('summary')?.focus();
}

const stateWord: Record<Section['state'], string> = { ok: '', empty: 'Nothing found.', not_configured: 'Not set up.', unavailable: 'Not available.' };

export function SectionState({ section }: { section: Section }) {
  return <p class="section-why"><b>{stateWord[section.state]}</b> {section.why}</p>;
}
