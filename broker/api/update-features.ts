import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/update-features'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** UpdateFeatures 0-1 (KIP-584), on the active controller. */
export function updateFeaturesHandler(services: BrokerServices): Handler<UpdateFeaturesRequest, UpdateFeaturesResponse> {
  return async (context) => context.respond(await services.controller.updateFeatures(context.body, context.apiVersion))
}
