import { afterAll, beforeAll, describe, it } from 'vitest'
import { BacalhauNode } from '../../../testkit/bacalhau-node.ts'
import { describeBacalhau } from './bacalhau-engine.suite.ts'

let node: BacalhauNode
beforeAll(async () => void (node = await BacalhauNode.start({ key: 'k'.repeat(20) })))
afterAll(() => node.dispose())

describeBacalhau('Bacalhau, a fake after its published API', () => ({ url: node.url, token: 'k'.repeat(20), image: 'busybox:1' }))

const { BACALHAU_URL: url, BACALHAU_API_KEY: token = '', BACALHAU_IMAGE: image = 'busybox:1.37' } = process.env
if (url) describeBacalhau('Bacalhau, a real node', () => ({ url, token, image }))
else
  describe('Bacalhau', () => {
    it.skip('not run against a real node: BACALHAU_URL names none (with BACALHAU_API_KEY and BACALHAU_IMAGE)', () => undefined)
  })
