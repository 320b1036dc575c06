// What an analyst does to incidents, the same from the queue, the peek pane and the incident's page: one call for one incident, the bulk
// call for several. What worked is said in a message that can take it back, and told to every list; what did not is handed back, so that
// the dialog that asked can show it beside what was typed.
import { call, problemFor } from '../api/client';
import type { BulkRequest, Disposition, IncidentRow, MoveRequest, Problem, Undo } from '../gen/api';
import { counted, dispositionWord, stageWord } from '../lib/words';
import { publishRow } from './rows';
import { done, failedWith, note } from './toasts';

type Target = Pick<IncidentRow, 'id' | 'version'>;
/** null = it worked. */
export type Outcome = Promise<Problem | null>;

export function assign(targets: readonly Target[], assignee: string | null): Outcome {
  const words = assignee === null ? 'unassigned' : assignee === 'me' ? 'taken' : `assigned to ${assignee}`;
  const [only, more] = targets;
  if (only && !more) {
    return one(only.id, `${only.id} ${words}`, () => call('assignIncident', { params: { id: only.id }, body: { assignee, version: only.version } }));
  }
  return many(targets, words, { op: 'assign', assignee });
}

/** Takes them at once, without a dialog: what goes wrong becomes a message. */
export async function take(targets: readonly Target[]): Promise<void> {
  const problem = await assign(targets, 'me');
  if (problem) failedWith('It could not be taken.', problem);
}

export function judge(targets: readonly Target[], disposition: Disposition, reason: string): Outcome {
  const words = `judged ${dispositionWord[disposition].toLowerCase()}`;
  const [only, more] = targets;
  if (only && !more) {
    return one(only.id, `${only.id} ${words}`, () => call('setDisposition', { params: { id: only.id }, body: { disposition, version: only.version, ...(reason === '' ? {} : { reason }) } }));
  }
  return many(targets, words, { op: 'disposition', disposition, ...(reason === '' ? {} : { reason }) });
}

export function comment(targets: readonly Target[], text: string): Outcome {
  const [only, more] = targets;
  if (only && !more) return one(only.id, `Comment added to ${only.id}`, () => call('commentIncident', { params: { id: only.id }, body: { text } }));
  return many(targets, 'commented', { op: 'comment', text });
}

export function move(id: string, body: MoveRequest): Outcome {
  return one(id, `${id} moved to ${stageWord[body.to]}`, () => call('moveIncident', { params: { id }, body }));
}

async function one(id: string, text: string, act: () => Promise<{ row: IncidentRow; undo: Undo | null }>): Outcome {
  try {
    const result = await act();
    publishRow(result.row);
    done(text, result.undo);
    return null;
  } catch (error) {
    const problem = problemFor(error);
    return problem.code === 'conflict' ? catchUp(id, problem) : problem;
  }
}

/** Somebody was faster: the newest state is fetched, so that the same press again applies to what is now on the screen. */
async function catchUp(id: string, problem: Problem): Outcome {
  try {
    const { row } = await call('getIncident', { params: { id } });
    publishRow(row);
    return { ...problem, next: 'The newest state is shown now. Look at it, then press again to apply yours.' };
  } catch {
    return problem;
  }
}

async function many(targets: readonly Target[], words: string, request: Omit<BulkRequest, 'items'>): Outcome {
  if (targets.length === 0) return null;
  try {
    const result = await call('bulkIncidents', { body: { ...request, items: targets.map(({ id, version }) => ({ id, version })) } });
    for (const outcome of result.results) if (outcome.row) publishRow(outcome.row);
    const refused = result.results.filter((o) => o.code !== 'ok');
    done(`${counted(targets.length - refused.length, 'incident', 'incidents')} ${words}`, result.undo);
    if (refused.length > 0) note(`Not done: ${refused.slice(0, 3).map((o) => `${o.id} (${o.detail})`).join('; ')}${refused.length > 3 ? ` and ${refused.length - 3} more` : ''}`);
    return null;
  } catch (error) {
    return problemFor(error);
  }
}
