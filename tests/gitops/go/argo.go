package main

import (
	"context"
	"encoding/json"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/argoproj/gitops-engine/pkg/health"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
)

const argoNamespace = "argocd"

// argo judges as an Argo CD with these settings does.
type argo struct {
	overrides map[string]v1alpha1.ResourceOverride
	updates   map[string]v1alpha1.ResourceOverride
}

type argoVerdict struct {
	Health  string `json:"health"`
	Message string `json:"message"`
	// Actions holds every action that is offered, and the object that it makes of this one.
	Actions map[string]*unstructured.Unstructured `json:"actions"`
	// Disabled names the actions that are shown but cannot be chosen.
	Disabled []string `json:"disabled"`
	// Watched is the part of the object whose changes refresh the application.
	Watched json.RawMessage `json:"watched"`
}

// newArgo reads the settings by Argo CD's own code, from a ConfigMap in a cluster that is a fake.
func newArgo(ctx context.Context, data map[string]string) (*argo, error) {
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	configMap := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: common.ArgoCDConfigMapName, Namespace: argoNamespace, Labels: labels},
		Data:       data,
	}
	manager := settings.NewSettingsManager(ctx, fake.NewClientset(configMap), argoNamespace)
	overrides, err := manager.GetResourceOverrides()
	if err != nil {
		return nil, err
	}
	updates, err := manager.GetIgnoreResourceUpdatesOverrides()
	if err != nil {
		return nil, err
	}
	return &argo{overrides: overrides, updates: updates}, nil
}

func (a *argo) judge(object *unstructured.Unstructured) (argoVerdict, error) {
	found, err := health.GetResourceHealth(object, lua.ResourceHealthOverrides(a.overrides))
	if err != nil {
		return argoVerdict{}, err
	}
	if found == nil {
		found = &health.HealthStatus{}
	}
	judged := argoVerdict{Health: string(found.Status), Message: found.Message}
	if judged.Watched, err = a.watched(object); err != nil {
		return argoVerdict{}, err
	}
	judged.Actions, judged.Disabled, err = a.actions(object)
	return judged, err
}

// watched leaves out what ignoreResourceUpdates names, as Argo CD does before it compares an object with its last state.
func (a *argo) watched(object *unstructured.Unstructured) ([]byte, error) {
	normalizer, err := normalizers.NewIgnoreNormalizer(nil, a.updates, normalizers.IgnoreNormalizerOpts{})
	if err != nil {
		return nil, err
	}
	rest := object.DeepCopy()
	if err := normalizer.Normalize(rest); err != nil {
		return nil, err
	}
	return rest.MarshalJSON()
}

func (a *argo) actions(object *unstructured.Unstructured) (map[string]*unstructured.Unstructured, []string, error) {
	vm := lua.VM{ResourceOverrides: a.overrides}
	scripts, err := vm.GetResourceActionDiscovery(object)
	if err != nil || len(scripts) == 0 {
		return nil, nil, err
	}
	offered, err := vm.ExecuteResourceActionDiscovery(object, scripts)
	if err != nil {
		return nil, nil, err
	}
	results, disabled := map[string]*unstructured.Unstructured{}, []string{}
	for _, action := range offered {
		if action.Disabled {
			disabled = append(disabled, action.Name)
		} else if results[action.Name], err = act(vm, object, action.Name); err != nil {
			return nil, nil, err
		}
	}
	return results, disabled, nil
}

func act(vm lua.VM, object *unstructured.Unstructured, name string) (*unstructured.Unstructured, error) {
	action, err := vm.GetResourceAction(object, name)
	if err != nil {
		return nil, err
	}
	changed, err := vm.ExecuteResourceAction(object.DeepCopy(), action.ActionLua, nil)
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	return changed[0].UnstructuredObj, nil
}

// isOutOfSync compares without cache, as the application controller does with the default options.
func (a *argo) isOutOfSync(git, live *unstructured.Unstructured) (bool, error) {
	config, err := diff.NewDiffConfigBuilder().
		WithDiffSettings(nil, a.overrides, false, normalizers.IgnoreNormalizerOpts{}).
		WithTracking(common.LabelKeyAppInstance, string(v1alpha1.TrackingMethodAnnotation)).
		WithNoCache().
		Build()
	if err != nil {
		return false, err
	}
	result, err := diff.StateDiff(live, git, config)
	return result.Modified, err
}
