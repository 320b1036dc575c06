// What an analyst does to incidents, the same from the queue, the peek pane and the incident's page: one call for one incident, the bulk
// call for several. Each answers with a toast that can take it back, and tells every list about the new row.
import { call } from '../api/client';
import type { BulkRequest, Disposition, IncidentRow, MoveRequest } from '../gen/api';
import { counted, dispositionWord, stageWord } from '../lib/words';
import { publishRow } from './rows';
import { done, failed, note } from './toasts';

type Target = Pick<IncidentRow, 'id' | 'version'>;

/** Returns whether it worked; a failure has been shown. */
export async function assign(targets: readonly Target[], assignee: string | null): Promise<boolean> {
  const words = assignee === null ? 'unassigned' : assignee === 'me' ? 'taken' : `assigned to ${assignee}`;
  const [only, more] = targets;
  if (only && !more) {
    return one(`${only.id} ${words}`, () => call('assignIncident', { params: { id: only.id }, body: { assignee, version: only.version } }));
  }
  return many(targets, words, { op: 'assign', assignee });
}

export async function judge(targets: readonly Target[], disposition: Disposition, reason: string): Promise<boolean> {
  const words = `judged ${dispositionWord[disposition].toLowerCase()}`;
  const [only, more] = targets;
  if (only && !more) {
    return one(`${only.id} ${words}`, () => call('setDisposition', { params: { id: only.id }, body: { disposition, reason, version: only.version } }));
  }
  return many(targets, words, { op: 'disposition', disposition, reason });
}

export async function comment(targets: readonly Target[], text: string): Promise<boolean> {
  const [only, more] = targets;
  if (only && !more) {
    return one(`Comment added to ${only.id}`, () => call('commentIncident', { params: { id: only.id }, body: { text } }));
  }
  return many(targets, 'commented', { op: 'comment', text });
}

/** Throws the ApiError, because the dialog shows a refusal beside the field that is missing. */
export async function move(id: string, body: MoveRequest): Promise<void> {
  const result = await call('moveIncident', { params: { id }, body });
  publishRow(result.row);
  done(`${id} moved to ${stageWord[body.to]}`, result.undo);
}

async function one(text: string, act: () => Promise<{ row: IncidentRow; undo: { token: string; until: string } | null }>): Promise<boolean> {
  try {
    const result = await act();
    publishRow(result.row);
    done(text, result.undo);
    return true;
  } catch (error) {
    failed('That did not work.', error);
    return false;
  }
}

async function many(targets: readonly Target[], words: string, request: Omit<BulkRequest, 'items'>): Promise<boolean> {
  if (targets.length === 0) return false;
  try {
    const result = await call('bulkIncidents', { body: { ...request, items: targets.map(({ id, version }) => ({ id, version })) } });
    let worked = 0;
    for (const outcome of result.results) {
      if (outcome.code === 'ok') worked++;
      if (outcome.row) publishRow(outcome.row);
    }
    done(`${counted(worked, 'incident', 'incidents')} ${words}`, result.undo);
    const refused = result.results.filter((o) => o.code !== 'ok');
    if (refused.length > 0) note(`Not done: ${refused.slice(0, 3).map((o) => `${o.id} (${o.detail})`).join('; ')}${refused.length > 3 ? ` and ${refused.length - 3} more` : ''}`);
    return worked > 0;
  } catch (error) {
    failed('That did not work.', error);
    return false;
  }
}
