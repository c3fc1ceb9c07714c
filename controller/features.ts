import { decodeFeatures, encodeFeatures, featurePath, FeatureStatus } from '../zk-schema/cluster'
import type { Features } from '../zk-schema/cluster'
import { atLeast } from '../protocol/rules/metadata-version'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import { createOp } from './leadership-writer'
import type { Term } from './term'

/**
 * Brings /feature to what the inter-broker version says (KIP-584): enabled from 2.7-IV0 on, without minimum levels from 3.3-IV0
 * on. What was finalized stays, unless the node was disabled. A ZooKeeper-mode broker itself has no features.
 */
export async function setUpFeatures(term: Term): Promise<void> {
  const node = await term.session.get(featurePath)
  const wanted = wantedFeatures(term, node === undefined ? undefined : readFeatures(term, node.data))
  const data = encodeFeatures(wanted)
  if (node === undefined) await term.writer.writeOne(createOp(featurePath, data))
  else if (!isSame(readFeatures(term, node.data), wanted)) {
    await term.writer.writeOne({ type: 'set', path: featurePath, data, version: node.stat.version })
  }
}

function wantedFeatures(term: Term, existing: Features | undefined): Features {
  const version = atLeast(term.config.interBrokerVersion, '3.3-IV0') ? 2 : 1
  if (!term.rules.featureZnode) return { version, status: FeatureStatus.disabled, features: {} }
  const kept = existing?.status === FeatureStatus.enabled ? existing.features : {}
  return { version, status: FeatureStatus.enabled, features: kept }
}

/** undefined if they cannot be read. */
export function readFeatures(term: Term, data: Buffer | null): Features | undefined {
  try {
    return decodeFeatures(data)
  } catch (error) {
    if (!(error instanceof ZnodeFormatError)) throw error
    term.logger.warn({ path: error.path, reason: error.message }, 'the features cannot be read, they are written anew')
    return undefined
  }
}

function isSame(a: Features | undefined, b: Features): boolean {
  return a !== undefined && encodeFeatures(a).equals(encodeFeatures(b))
}
