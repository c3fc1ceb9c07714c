/** What codec.ts uses of the static module that protobufjs-cli makes of recording.proto. */
interface Type {
  encode(message: object): { finish(): Uint8Array }
  decode(bytes: Uint8Array): unknown
  toObject?: unknown
}

export const prekraft: { Event: Type }
