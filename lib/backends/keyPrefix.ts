/** Mirrors Celery's rule for `global_keyprefix`. */
export function keyPrefix(given: string | null): string {
  if (given === null || given === '') return ''
  return /[:_.-]$/.test(given) ? given : `${given}_`
}
