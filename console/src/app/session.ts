// Who is logged in. `me` is undefined until the daemon was asked, null when nobody is.
import { signal } from '@preact/signals';
import { ApiError, call, problemFor, setCsrfToken, whenSignedOut } from '../api/client';
import { startLive, stopLive } from '../api/live';
import type { Me, Permission, Problem } from '../gen/api';
import { permissionWord } from '../lib/words';

export const me = signal<Me | null | undefined>(undefined);
export const startProblem = signal<Problem | null>(null);

function begin(user: Me): void {
  setCsrfToken(user.csrf_token);
  me.value = user;
  startLive();
}

function end(): void {
  stopLive();
  setCsrfToken('');
  me.value = null;
}

whenSignedOut(() => {
  if (me.value !== undefined) end();
});

export async function resume(): Promise<void> {
  startProblem.value = null;
  try {
    begin(await call('me'));
  } catch (error) {
    if (error instanceof ApiError && error.problem.status === 401) end();
    else startProblem.value = problemFor(error);
  }
}

export async function logIn(user: string, password: string): Promise<void> {
  begin(await call('login', { body: { user, password } }));
}

export async function logOut(): Promise<void> {
  try {
    await call('logout');
  } finally {
    end();
  }
}

export const may = (permission: Permission): boolean => me.value?.permissions.includes(permission) ?? false;

/** Why a control is off, or null when it is on. */
export const denial = (permission: Permission): string | null =>
  may(permission) ? null : `Your role may not ${permissionWord[permission]}. Ask an administrator for the permission ${permission}.`;
