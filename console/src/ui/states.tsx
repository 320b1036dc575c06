// The four states of everything that is fetched, besides showing it: loading, empty with the reason and the next step, failed, and stale.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem } from '../gen/api';
import { copyText } from './copy';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function ProblemBox({ problem, retry, compact }: { problem: Problem; retry?: () => void; compact?: boolean }) {
  const [copied, setCopied] = useState(false);
  return (
    <div class={`problem${compact ? ' problem-compact' : ''}`} role="alert">
      <p class="problem-what"><b>{problem.title === problem.detail ? 'It did not work' : capital(problem.title)}.</b> {problem.detail}</p>
      {problem.next !== '' && <p class="problem-next">{capital(problem.next)}{/[.!?]$/.test(problem.next) ? '' : '.'}</p>}
      <p class="problem-meta">
        <span class="mono">{problem.code}</span>
        {problem.request_id !== '' && (
          <button type="button" class="link" onClick={() => void copyText(problem.request_id).then(setCopied)}>
            {copied ? 'copied' : `request ${problem.request_id}`}
          </button>
        )}
        {retry && <button type="button" class="link" onClick={retry}>Try again</button>}
      </p>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      <div class="empty-text">{children}</div>
    </div>
  );
}

export function Skeleton({ rows = 6, label }: { rows?: number; label: string }) {
  return (
    <div class="skeleton" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, i) => <span key={i} class={`skeleton-bar skeleton-${i % 4}`} />)}
    </div>
  );
}
