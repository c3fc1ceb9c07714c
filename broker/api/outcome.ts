import { ErrorCode, ProtocolError } from '../../protocol/errors'
import type { BrokerServices } from './services'

/** What an answer says of a change that failed; what is no fault of the client's is logged. */
export function outcomeOf(services: BrokerServices, error: unknown): { errorCode: number; errorMessage: string } {
  if (error instanceof ProtocolError) return { errorCode: error.code, errorMessage: error.message }
  services.logger.error({ err: error }, 'quotas or credentials could not be changed')
  return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: (error as Error).message }
}
