import { useEffect } from 'preact/hooks';
import { Empty } from '../ui/states';
import { location } from './router';

export function Unknown() {
  useEffect(() => { document.title = 'Not found · OpenVSOC'; }, []);
  return (
    <main class="screen-message" tabIndex={-1}>
      <h1 class="visually-hidden">Not found</h1>
      <Empty title="There is no such page">
        <p>The address <span class="mono">{location.value.path}</span> leads nowhere. Go to the <a href="/queue">incident queue</a>, or search with <kbd>/</kbd>.</p>
      </Empty>
    </main>
  );
}
