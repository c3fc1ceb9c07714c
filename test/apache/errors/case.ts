import type { ApiKey } from '../../../protocol/messages/apis'
import type { Place } from './place'

/** Broker 0 leads what is asked about; broker 1 follows. */
export type Addressee = 'leader' | 'follower' | 'controller' | 'other'

/** A bad request, sent to both kinds of cluster: the answers must be equal. */
export interface BadRequest {
  name: string
  api: ApiKey
  /** Default: the leader. */
  to?: Addressee
  /** Default: the newest. `all`: each that the API has. */
  versions?: 'all' | readonly number[]
  /** By the names of protocol/messages; it may differ between the places by ids and epochs. */
  body(place: Place, version: number): unknown
  /** Differs on purpose: what ours answers must match. A row of docs/differences.md tells why. */
  ours?: RegExp
}

/** Bytes as they are, without the size in front. */
export interface BadFrame {
  name: string
  to?: Addressee
  frame(place: Place): Buffer
  /** What the size in front of the frame says instead of the truth. */
  size?: number
  ours?: RegExp
}

export type Case = BadRequest | BadFrame

export function isFrame(one: Case): one is BadFrame {
  return 'frame' in one
}
