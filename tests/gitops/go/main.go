// Verdicts says what GitOps tools make of objects: it runs the code of Argo CD, kstatus and Flux on them.
//
// A request is read as JSON from standard input, the verdicts are written as JSON to standard output.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// A request names the configuration of the tools, and the objects to judge.
type request struct {
	// ArgoSettings is the data of the ConfigMap argocd-cm.
	ArgoSettings map[string]string `json:"argoSettings"`
	// FluxGates holds the healthCheckExprs of a Flux Kustomization, by a name for them.
	FluxGates map[string]gate `json:"fluxGates"`
	// Objects are judged one by one.
	Objects map[string]object `json:"objects"`
	// Pairs are compared: what Git says with what the cluster has.
	Pairs map[string]pair `json:"pairs"`
}

// An object keeps whole numbers whole, as the API machinery does.
type object struct{ unstructured.Unstructured }

func (o *object) UnmarshalJSON(data []byte) error {
	return o.Unstructured.UnmarshalJSON(data)
}

type pair struct {
	Git  object `json:"git"`
	Live object `json:"live"`
}

type verdict struct {
	Argo    argoVerdict       `json:"argo"`
	Kstatus string            `json:"kstatus"`
	Flux    map[string]string `json:"flux"`
}

type answer struct {
	Objects map[string]verdict `json:"objects"`
	// OutOfSync says for each pair whether Argo CD would sync it.
	OutOfSync map[string]bool `json:"outOfSync"`
}

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	var asked request
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return fmt.Errorf("the request cannot be read: %w", err)
	}
	argo, err := newArgo(ctx, asked.ArgoSettings)
	if err != nil {
		return err
	}
	flux, err := newFlux(asked.FluxGates)
	if err != nil {
		return err
	}
	given := answer{Objects: map[string]verdict{}, OutOfSync: map[string]bool{}}
	for name, object := range asked.Objects {
		if given.Objects[name], err = judge(ctx, argo, flux, &object.Unstructured); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, pair := range asked.Pairs {
		if given.OutOfSync[name], err = argo.isOutOfSync(&pair.Git.Unstructured, &pair.Live.Unstructured); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return json.NewEncoder(out).Encode(given)
}

func judge(ctx context.Context, argo *argo, flux flux, object *unstructured.Unstructured) (verdict, error) {
	byArgo, err := argo.judge(object)
	if err != nil {
		return verdict{}, err
	}
	byKstatus, err := status.Compute(object)
	if err != nil {
		return verdict{}, err
	}
	return verdict{Argo: byArgo, Kstatus: byKstatus.Status.String(), Flux: flux.judge(ctx, object)}, nil
}
