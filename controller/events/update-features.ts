import { ErrorCode } from '../../protocol/errors'
import type { FeatureUpdateKey, UpdateFeaturesResponse } from '../../protocol/messages/update-features'
import type { Input } from '../../protocol/messages/schema'
import { encodeFeatures, featurePath } from '../../zk-schema/cluster'
import { readFeatures } from '../features'
import type { Term } from '../term'
import type { EventOf } from './event'

const UPGRADE = 1
const SAFE_DOWNGRADE = 2

/** UpdateFeatures (KIP-584). A ZooKeeper-mode broker supports no feature, so that one can only be taken out of the list. */
export async function onUpdateFeatures(term: Term, event: EventOf<'UpdateFeatures'>): Promise<Input<UpdateFeaturesResponse>> {
  const { session, writer } = term
  const { featureUpdates, validateOnly } = event.request
  const node = await session.get(featurePath)
  const existing = node === undefined ? undefined : readFeatures(term, node.data)
  const features = { ...existing?.features }
  const faults = featureUpdates.map(
    (update) => featureFault(update, upgradeTypeOf(update, event.version), existing?.features ?? {}),
  )
  for (const [index, { feature }] of featureUpdates.entries()) if (faults[index] === undefined) delete features[feature]
  let failed = false
  if (!validateOnly && existing !== undefined && node !== undefined && faults.some((fault) => fault === undefined)) {
    const data = encodeFeatures({ ...existing, features })
    failed = !(await writer.writeOne({ type: 'set', path: featurePath, data, version: node.stat.version })).ok
  }
  return {
    errorMessage: null,
    results: featureUpdates.map(({ feature }, index) => {
      const fault = faults[index]
      if (fault !== undefined) return { feature, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: fault }
      return { feature, errorCode: failed ? ErrorCode.FEATURE_UPDATE_FAILED : ErrorCode.NONE, errorMessage: null }
    }),
  }
}

/** Version 0 says only whether a downgrade is allowed. */
function upgradeTypeOf(update: FeatureUpdateKey, version: number): number {
  if (version > 0) return update.upgradeType
  return update.allowDowngrade ? SAFE_DOWNGRADE : UPGRADE
}

function featureFault(
  update: FeatureUpdateKey, upgradeType: number, existing: Readonly<Record<string, number>>,
): string | undefined {
  if (update.feature === '') return 'Feature name can not be empty.'
  if (upgradeType < UPGRADE || upgradeType > SAFE_DOWNGRADE + 1) return 'Received unknown upgrade type.'
  if (update.maxVersionLevel < 1) {
    if (upgradeType === UPGRADE) {
      const level = update.maxVersionLevel
      return `Can not provide versionLevel: ${level} less than 1 without setting the SAFE downgradeType in the request.`
    }
    return Object.hasOwn(existing, update.feature) ? undefined : 'Can not delete non-existing finalized feature.'
  }
  return 'Could not apply finalized feature update because the provided feature is not supported.'
}
