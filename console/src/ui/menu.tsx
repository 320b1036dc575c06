// A button with a small menu: opens on click, Enter or Space; arrows move; Escape and a click elsewhere close it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useKeys } from '../app/keys';

interface Props { label: string; button: ComponentChildren; children: (close: () => void) => ComponentChildren; class?: string }

export function Menu({ label, button, children, class: name }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const items = () => [...(box.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
  const close = () => { setOpen(false); trigger.current?.focus(); };
  const step = (by: number) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + by + all.length) % all.length]?.focus();
  };
  useKeys({ Escape: close, ArrowDown: () => step(1), ArrowUp: () => step(-1), Tab: close }, { modal: true, active: open });
  useEffect(() => {
    if (!open) return;
    items()[0]?.focus();
    const away = (e: Event) => { if (!box.current?.contains(e.target as Node)) setOpen(false); };
    document.addEventListener('pointerdown', away);
    return () => document.removeEventListener('pointerdown', away);
  }, [open]);
  return (
    <div class={`menu${name ? ` ${name}` : ''}`} ref={box}>
      <button ref={trigger} type="button" class="icon-button" aria-haspopup="menu" aria-expanded={open} aria-label={label} title={label} onClick={() => setOpen(!open)}>{button}</button>
      {open && <div class="menu-list" role="menu" aria-label={label}>{children(close)}</div>}
    </div>
  );
}
