import { useEffect, useState } from 'preact/hooks';
import { problemFor } from '../../api/client';
import type { Problem } from '../../gen/api';
import { ProblemBox } from '../../ui/states';
import { logIn } from '../../app/session';

/** The address stays as it is, so that a pasted link shows its screen after the login. */
export function Login() {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => { document.title = 'Log in · OpenVSOC'; }, []);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await logIn(user.trim(), password);
    } catch (error) {
      setProblem(problemFor(error));
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form class="login-card" onSubmit={(e) => void submit(e)}>
        <div class="login-head">
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true"><path d="M16 2 28 7v9c0 7-5 12-12 14C9 28 4 23 4 16V7z" fill="var(--accent-solid)" /><path d="M9 13l4.600 9.500h4.800L23 13" fill="none" stroke="#fff" stroke-width="2.600" stroke-linejoin="round" stroke-linecap="round" /></svg>
          <h1>OpenVSOC</h1>
        </div>
        <p class="login-sub">Vehicle Security Operations Center</p>
        {problem && <ProblemBox problem={problem} />}
        <label>User<input name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus value={user} onInput={(e) => setUser(e.currentTarget.value)} /></label>
        <label>Password<input name="password" type="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>
        <button type="submit" class="button button-primary" aria-disabled={busy}>{busy ? 'Logging in' : 'Log in'}</button>
        <p class="login-note">Every act in this console is recorded with your name.</p>
      </form>
    </main>
  );
}
