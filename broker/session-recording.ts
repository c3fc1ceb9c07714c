import { formatSessionId } from '../zk-schema/session/session-id'
import type { Recorder } from '../recording/events'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { ZooKeeperSession } from '../zk-schema/session/session'

/** Writes down what becomes of this process's sessions with ZooKeeper, from the present one on. */
export function recordSessions(keeper: SessionKeeper, recorder: Recorder): void {
  const tell = (session: ZooKeeperSession, what: string): void =>
    recorder.record({ kind: 'life', what: `session ${what}`, detail: formatSessionId(session.id) })
  const follow = (session: ZooKeeperSession): void => {
    tell(session, 'established')
    session.onState((state) => tell(session, state))
  }
  follow(keeper.current)
  keeper.onNewSession(follow)
}
