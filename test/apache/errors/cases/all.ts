import { configCases } from './configs'
import { controlCases, frameCases, securityCases } from './control'
import { groupCases, transactionCases } from './coordinators'
import { quotaCases } from './quotas'
import { fetchCases, offsetCases, produceCases } from './records'
import { createCases, deleteCases, metadataCases, partitionCases, reassignmentCases } from './topics'
import type { Case } from '../case'

/** Reading before writing; what changes a topic comes late. */
export const allCases: readonly Case[] = [
  ...frameCases, ...metadataCases, ...configCases, ...createCases, ...deleteCases, ...partitionCases, ...reassignmentCases, ...controlCases,
  ...fetchCases, ...offsetCases, ...produceCases, ...groupCases, ...transactionCases, ...securityCases, ...quotaCases,
]
