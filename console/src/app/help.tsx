import { shortcuts } from '../lib/prefs';
import { Dialog } from '../ui/dialog';
import { keyHelp } from './keys';

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose} wide>
      <div class="help">
        {keyHelp.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.rows.map((row) => (
                <div key={row.text}>
                  <dt>{row.keys.map((k) => <kbd key={k}>{k}</kbd>)}</dt>
                  <dd>{row.text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="help-note">No key sends anything to a vehicle, approves, or deletes. Those always go through a dialog with a typed reason.</p>
      <label class="check">
        <input type="checkbox" checked={shortcuts.value === 'on'} onChange={(e) => { shortcuts.value = e.currentTarget.checked ? 'on' : 'off'; }} />
        Single-key shortcuts
      </label>
    </Dialog>
  );
}
