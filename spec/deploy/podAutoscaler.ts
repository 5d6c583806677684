import type { IHorizontalPodAutoscalerSpec } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerSpec'

type Rules = NonNullable<NonNullable<IHorizontalPodAutoscalerSpec['behavior']>['scaleUp']>
type RulePolicy = NonNullable<Rules['policies']>[number]

/** The controller's default. */
const TOLERANCE = 0.1

/**
 * The HorizontalPodAutoscaler's algorithm as Kubernetes documents it, for one external metric with a target a pod: as many pods
 * as metric / target, rounded up, unless that is within a tenth of what there is; of the recommendations in the window for growth
 * the least, of those in the window for shrinking the greatest; and at most as many pods up or down in a period as a policy
 * allows.
 */
export class PodAutoscaler {
  private readonly recommendations: Array<{ readonly at: number; readonly pods: number }> = []
  private readonly changes: Array<{ readonly at: number; readonly by: number }> = []

  constructor(private readonly spec: IHorizontalPodAutoscalerSpec) {}

  /** How many pods there are to be. @param metric null where there is none: then nothing changes @param at milliseconds */
  decide(at: number, pods: number, metric: number | null): number {
    if (metric === null) return pods
    const { minReplicas = 1, maxReplicas, behavior } = this.spec
    this.recommendations.push({ at, pods: this.recommend(pods, metric) })
    const since = (rules: Rules | undefined, byDefault: number): number[] => {
      const from = at - 1000 * (rules?.stabilizationWindowSeconds ?? byDefault)
      return this.recommendations.filter((each) => each.at >= from).map((each) => each.pods)
    }
    const least = Math.min(...since(behavior?.scaleUp, 0))
    const greatest = Math.max(...since(behavior?.scaleDown, 300))
    const steady = Math.min(Math.max(pods, least), greatest)
    const limited =
      steady > pods
        ? Math.min(steady, this.mostOf(at, pods, behavior?.scaleUp))
        : Math.max(steady, this.leastOf(at, pods, behavior?.scaleDown))
    const wanted = Math.min(Math.max(limited, minReplicas), maxReplicas)
    if (wanted !== pods) this.changes.push({ at, by: wanted - pods })
    return wanted
  }

  private recommend(pods: number, metric: number): number {
    const target = Number(this.spec.metrics?.[0]?.external?.target.averageValue)
    return Math.abs(metric / (target * pods) - 1) <= TOLERANCE ? pods : Math.ceil(metric / target)
  }

  private mostOf(at: number, pods: number, rules: Rules | undefined): number {
    const limits = (rules?.policies ?? []).map((policy) => {
      const before = pods - this.changedBy(at, policy, 1)
      return policy.type === 'Pods' ? before + policy.value : Math.ceil(before * (1 + policy.value / 100))
    })
    return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...limits)
  }

  private leastOf(at: number, pods: number, rules: Rules | undefined): number {
    const limits = (rules?.policies ?? []).map((policy) => {
      const before = pods + this.changedBy(at, policy, -1)
      return policy.type === 'Pods' ? before - policy.value : Math.floor(before * (1 - policy.value / 100))
    })
    return limits.length === 0 ? 0 : Math.min(...limits)
  }

  /** Pods that came, or went, in a policy's last period. */
  private changedBy(at: number, { periodSeconds }: RulePolicy, sign: 1 | -1): number {
    const recent = this.changes.filter((change) => change.at > at - periodSeconds * 1000 && change.by * sign > 0)
    return recent.reduce((sum, { by }) => sum + by * sign, 0)
  }
}
