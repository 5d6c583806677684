/**
 * Returns the host of a node name, for celery-exporter's label `hostname`: `w1@box` is on `box`. A name without a host
 * is returned unchanged.
 */
export function hostOf(nodename: string): string {
  return nodename.slice(nodename.indexOf('@') + 1)
}
