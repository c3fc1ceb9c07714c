import { decodeInt, decodeJson, encodeJson } from './znode-json'

/** Ephemeral; the broker whose session owns it is the controller, whatever id it names. */
export const controllerPath = '/controller'
/** Persistent decimal text. Its version is what fences a controller's writes. */
export const controllerEpochPath = '/controller_epoch'

export interface ControllerRegistration {
  brokerId: number
  /** -1 where it is missing. */
  timestampMs: number
  /** 0 or more while a KRaft controller drives a migration, else -1. */
  kraftControllerEpoch: number
}

/** Version 2 (3.4). */
export function encodeController(brokerId: number, timestampMs: number): Buffer {
  return encodeJson({ version: 2, brokerid: brokerId, timestamp: String(timestampMs), kraftControllerEpoch: -1 })
}

/** Reads versions 1 and 2. Throws ZnodeFormatError. */
export function decodeController(data: Buffer | null): ControllerRegistration {
  const json = decodeJson(controllerPath, data)
  return {
    brokerId: json.int('brokerid'),
    timestampMs: json.long('timestamp', -1),
    kraftControllerEpoch: json.int('kraftControllerEpoch', -1),
  }
}

export function encodeControllerEpoch(epoch: number): Buffer {
  return Buffer.from(String(epoch))
}

/** Throws ZnodeFormatError. */
export function decodeControllerEpoch(data: Buffer | null): number {
  return decodeInt(controllerEpochPath, data)
}
