import type { FsCall } from './fs-calls.ts'
import { required } from './fs-calls.ts'

/** What `elsewhere fs` does with datasets themselves, not with files in them. */
export interface DatasetVerb {
  readonly usage: string
  readonly what: string
  /** Of all datasets together, open or not. */
  readonly isOfAll: true
  run(call: FsCall): Promise<number>
}

export const DATASET_VERBS: Readonly<Record<string, DatasetVerb>> = {
  datasets: {
    usage: 'datasets',
    what: 'list them: Home, those made beside it, and those put away',
    isOfAll: true,
    async run({ device, json }) {
      const named = await device.listNamedDatasets({})
      const [home] = (await device.listDatasets({})).filter(({ dataset }) => !named.some((one) => one.dataset === dataset))
      const all = [...(home ? [{ ...home, isAway: false }] : []), ...named]
      if (json) console.log(JSON.stringify(all, undefined, 2))
      else for (const { dataset, name, isAway } of all) console.log(`${name}  ${dataset}${isAway ? '  put away' : ''}`)
      return 0
    },
  },
  new: {
    usage: 'new NAME',
    what: 'make a dataset beside Home, with keys of its own, on all your devices',
    isOfAll: true,
    async run({ device, json, args }) {
      const made = await device.makeDataset({ name: required(args[0], 'NAME') })
      console.log(json ? JSON.stringify(made) : `${made.name} is there: "elsewhere fs ls --dataset ${JSON.stringify(made.name)}"`)
      return 0
    },
  },
  name: {
    usage: 'name DATASET NAME',
    what: 'give a dataset another name',
    isOfAll: true,
    async run({ device, json, args }) {
      const named = await device.renameDataset({ which: required(args[0], 'DATASET'), name: required(args[1], 'NAME') })
      console.log(json ? JSON.stringify(named) : `It is ${named.name} now.`)
      return 0
    },
  },
  away: {
    usage: 'away DATASET [--force]',
    what: 'put a dataset away on all devices; nothing of it is lost. --force: also what is on this device alone',
    isOfAll: true,
    run: (call) => setAway(call, true),
  },
  back: {
    usage: 'back DATASET',
    what: 'bring it back',
    isOfAll: true,
    run: (call) => setAway(call, false),
  },
}

async function setAway({ device, json, force, args }: FsCall, isAway: boolean): Promise<number> {
  const { name, ...rest } = await device.putDatasetAway({ which: required(args[0], 'DATASET'), isAway, force })
  if (json) console.log(JSON.stringify({ name, ...rest }))
  else console.log(isAway ? `${name} is put away; "elsewhere fs back ${JSON.stringify(name)}" brings it back.` : `${name} is back.`)
  return 0
}
