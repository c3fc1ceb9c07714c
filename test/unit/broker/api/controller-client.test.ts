import { ControllerClient } from '../../../../broker/api/controller-client'
import { ApiKey } from '../../../../protocol/messages/apis'
import { realEnvironment } from '../../../../runtime/real'
import { silentLogger } from '../../../../runtime/log'
import type { ControllerGate } from '../../../../broker/api/controller-gate'
import type { MetadataCache } from '../../../../broker/metadata/metadata-cache'

test("does not wait for ever for its own broker's controller", async () => {
  let asked = 0
  const gate = {
    isActive: () => true,
    activeControllerId: () => 0,
    controlledShutdown: () => {
      asked++
      return new Promise(() => {})
    },
  }
  const client = new ControllerClient({
    env: realEnvironment(),
    brokerId: 0,
    metadata: { controllerId: 0 } as unknown as MetadataCache,
    gate: gate as unknown as ControllerGate,
    listenerName: 'PLAINTEXT',
    requestTimeoutMs: 30_000,
    logger: silentLogger,
  })
  const body = { brokerId: 0, brokerEpoch: 1 }
  await expect(client.send(ApiKey.controlledShutdown, body, { timeoutMs: 20 })).rejects.toThrow('has not answered within')
  expect(asked).toBe(1)
  client.close()
})
