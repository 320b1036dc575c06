// A native modal dialog: focus stays inside, Escape closes it, and the focus returns to where it was. Shortcuts below it are silent.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { useKeys } from '../app/keys';

interface Props { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean; class?: string }

export function Dialog({ title, onClose, children, wide, class: name }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useKeys({ Escape: onClose }, { modal: true });
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} class={`dialog${wide ? ' dialog-wide' : ''}${name ? ` ${name}` : ''}`} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); onClose(); }}
      onMouseDown={(e) => { if (e.target === e.currentTarget) onClose(); }}>
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}><Cross /></button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export const Cross = () => <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true"><path d="M2 2l8 8M10 2l-8 8" stroke="currentColor" stroke-width="1.600" stroke-linecap="round" /></svg>;
