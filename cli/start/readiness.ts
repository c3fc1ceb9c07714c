import { connect } from 'node:net'
import { KafkaConnection } from '../../network/kafka-connection'
import { ApiKey } from '../../protocol/messages/apis'
import { realEnvironment } from '../../runtime/real'
import { HOST } from './ports'
import type { MetadataRequest, MetadataResponse } from '../../protocol/messages/metadata'

const POLL_MS = 15

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS))
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST })
    const finish = (result: boolean): void => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}

/** Resolves when something listens there; with false when `isOver` says that it never will. */
export async function untilListening(port: number, isOver: () => boolean): Promise<boolean> {
  while (!isOver()) {
    if (await accepts(port)) return true
    await pause()
  }
  return false
}

/**
 * Resolves when the broker serves and knows the controller and all of `brokerIds`, so that whatever is asked next works; with
 * false when `isOver` says that it never will.
 */
export async function untilServing(port: number, brokerIds: readonly number[], isOver: () => boolean): Promise<boolean> {
  const env = realEnvironment()
  while (!isOver()) {
    const connection = new KafkaConnection(env, {
      host: HOST,
      port,
      clientId: 'start',
      requestTimeoutMs: 5000,
      connectTimeoutMs: 1000,
    })
    try {
      await connection.connect()
      while (!isOver()) {
        const { brokers, controllerId } = await connection.send<MetadataRequest, MetadataResponse>(ApiKey.metadata, {
          topics: [],
        })
        const known = new Set(brokers.map(({ nodeId }) => nodeId))
        if (controllerId >= 0 && brokerIds.every((id) => known.has(id))) return true
        await pause()
      }
    } catch {
      await pause()
    } finally {
      connection.close()
    }
  }
  return false
}
