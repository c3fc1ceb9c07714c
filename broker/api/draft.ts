import type { Input } from '../../protocol/messages/schema'

/** A struct of an answer while it is being put together. */
export type Draft<T extends object> = { -readonly [Field in keyof T]?: Input<T>[Field & keyof Input<T>] }
