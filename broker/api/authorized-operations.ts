/** No authorizer: everything that the kind of resource supports. One bit per AclOperation, at its code. */
function bits(...codes: number[]): number {
  return codes.reduce((sum, code) => sum + 2 ** code, 0)
}

const READ = 3
const WRITE = 4
const CREATE = 5
const DELETE = 6
const ALTER = 7
const DESCRIBE = 8
const CLUSTER_ACTION = 9
const DESCRIBE_CONFIGS = 10
const ALTER_CONFIGS = 11
const IDEMPOTENT_WRITE = 12

export const TOPIC_OPERATIONS = bits(READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS)
export const CLUSTER_OPERATIONS = bits(CREATE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE, ALTER, DESCRIBE)
export const GROUP_OPERATIONS = bits(READ, DELETE, DESCRIBE)
/** What was not asked for. */
export const NOT_ASKED = -2147483648
