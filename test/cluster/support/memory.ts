import { connect } from 'node:net'
import { join } from 'node:path'
import { EventReader } from '../../../recording/codec'
import { FOLLOW_SOCKET } from '../../../recording/file-recorder'
import type { TestCluster } from '../../../index'

/** What the controller puts into the recording when it is asked (controller/snapshot.ts), as far as the tests look at it. */
export interface ControllerMemory {
  controllerEpoch: number
  brokers: { id: number; epoch: number; shuttingDown: boolean }[]
  malformedTopics: string[]
  topics: {
    name: string
    id: string | null
    czxid: number
    deletion: string
    partitions: {
      partition: number
      state: string
      replicas: number[]
      adding: number[]
      removing: number[]
      leadership: { leader: number; leaderEpoch: number; isr: number[]; partitionEpoch: number } | null
      replicaStates: Record<string, string>
    }[]
  }[]
}

/** Asks the active controller for its memory. Rejects when that broker is not the controller. */
export function controllerMemory(cluster: TestCluster, controller: number, timeoutMs = 3000): Promise<ControllerMemory> {
  return new Promise((resolve, reject) => {
    const events = new EventReader()
    const socket = connect(join(cluster.recordingDir(controller), FOLLOW_SOCKET))
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      socket.destroy()
      settle()
    }
    const timer = setTimeout(() => end(() => reject(new Error(`broker ${controller} gave no snapshot of its memory`))), timeoutMs)
    socket.once('error', (error) => end(() => reject(error)))
    socket.once('connect', () => {
      // The recorder must have taken us in before it writes.
      setTimeout(() => process.kill(cluster.pid(controller), 'SIGUSR2'), 30)
    })
    socket.on('data', (chunk) => {
      for (const { event } of events.push(chunk)) {
        if (event.kind === 'snapshot') end(() => resolve(JSON.parse(event.memory) as ControllerMemory))
      }
    })
  })
}
