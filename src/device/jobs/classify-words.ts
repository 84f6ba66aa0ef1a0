/* What the CLI may know of classification without a running device: it is pure, so no device is needed to ask. */
export { type ClassifyContext, classify, type ProjectFiles } from '../../jobs/classify/classify.ts'
export { ClassifyTable } from '../../jobs/classify/classify-table.ts'
