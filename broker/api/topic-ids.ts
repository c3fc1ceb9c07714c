/** In place of a topic id where there is none. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
