import { useEffect, useRef } from 'preact/hooks';
import { ProblemBox } from '../ui/states';
import { Cross } from '../ui/dialog';
import { dismiss, toasts, undoToast, type Toast } from './toasts';

function ToastCard({ toast }: { toast: Toast }) {
  const timer = useRef(0);
  const start = () => {
    if (toast.lasts_ms > 0) timer.current = window.setTimeout(() => dismiss(toast.id), toast.lasts_ms);
  };
  const stop = () => clearTimeout(timer.current);
  useEffect(() => { start(); return stop; }, []);
  // Time stands still while somebody reads or is about to press Undo.
  return (
    <div class={`toast${toast.problem ? ' toast-bad' : ''}`} onMouseEnter={stop} onMouseLeave={start} onFocusCapture={stop} onBlurCapture={start}>
      <div class="toast-text">
        {toast.problem ? <><p>{toast.text}</p><ProblemBox problem={toast.problem} compact /></> : <p>{toast.text}</p>}
      </div>
      {toast.undo && <button type="button" class="button" onClick={() => void undoToast(toast)}>Undo <kbd>u</kbd></button>}
      <button type="button" class="icon-button" aria-label="Close message" onClick={() => dismiss(toast.id)}><Cross /></button>
    </div>
  );
}

export function ToastStack() {
  return (
    <section class="toasts" role="status" aria-label="Messages">
      {toasts.value.map((t) => <ToastCard key={t.id} toast={t} />)}
    </section>
  );
}
