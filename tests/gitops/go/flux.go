package main

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A gate is an item of spec.healthCheckExprs without the kind that it is for.
type gate struct {
	Current    string `json:"current"`
	InProgress string `json:"inProgress"`
	Failed     string `json:"failed"`
}

// flux holds Flux's evaluator of each gate.
type flux map[string]*cel.StatusEvaluator

func newFlux(gates map[string]gate) (flux, error) {
	made := flux{}
	for name, gate := range gates {
		expressions := kustomize.HealthCheckExpressions{
			Current: gate.Current, InProgress: gate.InProgress, Failed: gate.Failed,
		}
		evaluator, err := cel.NewStatusEvaluator(&expressions)
		if err != nil {
			return nil, fmt.Errorf("gate %s: %w", name, err)
		}
		made[name] = evaluator
	}
	return made, nil
}

// judge returns Flux's word for each gate; an expression that cannot be evaluated makes Flux wait until its time-out.
func (f flux) judge(ctx context.Context, object *unstructured.Unstructured) map[string]string {
	words := map[string]string{}
	for name, evaluator := range f {
		result, err := evaluator.Evaluate(ctx, object)
		if err != nil {
			words[name] = "Error: " + err.Error()
		} else {
			words[name] = result.Status.String()
		}
	}
	return words
}
