import { describeEnvelopeLog } from './envelope-log.suite.ts'
import { MemoryEnvelopeLog } from './memory-envelope-log.ts'

describeEnvelopeLog('MemoryEnvelopeLog', () => {
  const log = new MemoryEnvelopeLog()
  return { log, reopen: () => log, close: () => {} }
})
